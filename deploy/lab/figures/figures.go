// Package figures is what the benchmarks of whole programs share to sum up.
package figures

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// Median of what is sorted by it; 0 of nothing.
func Median[T ~int64 | ~float64](v []T) T {
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

// Machine names what it ran on.
func Machine() string {
	name := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if _, model, ok := strings.Cut(line, "model name\t: "); ok {
				name = strings.TrimSpace(model)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d CPUs (%s), Linux %s", runtime.NumCPU(), name, strings.TrimSpace(string(kernel)))
}
