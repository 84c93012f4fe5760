package bpf

import (
	"bufio"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// symbols names addresses of the kernel.
type symbols struct {
	at    []uint64
	names []string
}

var kernelSymbols = sync.OnceValue(func() (s symbols) {
	f, err := os.Open("/proc/kallsyms")
	if err != nil {
		return s
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		parts := strings.Fields(lines.Text())
		at, err := strconv.ParseUint(parts[0], 16, 64)
		if err == nil && at != 0 && strings.ContainsAny(parts[1], "tTwW") {
			s.at, s.names = append(s.at, at), append(s.names, parts[2])
		}
	}
	sort.Sort(&s)
	return s
})

func (s *symbols) Len() int           { return len(s.at) }
func (s *symbols) Less(i, j int) bool { return s.at[i] < s.at[j] }
func (s *symbols) Swap(i, j int) {
	s.at[i], s.at[j] = s.at[j], s.at[i]
	s.names[i], s.names[j] = s.names[j], s.names[i]
}

// functions resolves a stack, innermost first.
func functions(t *testing.T, stack Stack) []string {
	t.Helper()
	s := kernelSymbols()
	if len(s.at) == 0 {
		t.Skip("no addresses in kallsyms")
	}
	var names []string
	for i := range stack.Len() {
		if n := sort.Search(len(s.at), func(k int) bool { return s.at[k] > stack.At(i) }); n > 0 {
			names = append(names, s.names[n-1])
		}
	}
	return names
}

func hasFunction(names []string, parts ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(name, part) })
	})
}
