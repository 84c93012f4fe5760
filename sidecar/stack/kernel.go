package stack

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	maxSymbols  = 1 << 20  // of a kernel; one of today has 130,000
	maxText     = 32 << 20 // bytes of their names
	maxName     = 512      // include/linux/kallsyms.h, KSYM_NAME_LEN
	maxFunction = 64 << 10 // bytes of code: the longest function of 6.18 has 21 KB
	reloadAfter = 10 * time.Second
)

// ErrHidden says that /proc/kallsyms shows no addresses: CAP_SYSLOG is missing,
// or kptr_restrict is 2.
var ErrHidden = errors.New("the addresses of the kernel's symbols are hidden")

// Kernel names the functions of the running kernel. Its table, of some 3 MB, is
// read when the first one is asked for, and again when a module has come since.
// Not safe for concurrent use.
type Kernel struct {
	symbols, modules string // files
	log              *slog.Logger
	table            table
	loaded           time.Time // zero: not tried yet
	had              []byte    // the modules at that time
}

// NewKernel reads nothing yet. Once, what keeps it from reading is logged.
func NewKernel(log *slog.Logger) *Kernel {
	return &Kernel{symbols: "/proc/kallsyms", modules: "/proc/modules", log: log}
}

// Function is the name of the function that an address lies in, without what
// the compiler has put behind it; "" unknown.
func (k *Kernel) Function(address uint64) string {
	if k.loaded.IsZero() {
		k.load()
	}
	if address >= k.table.from && address < k.table.to {
		return k.table.find(address)
	}
	if k.table.to != 0 && time.Since(k.loaded) > reloadAfter && !bytes.Equal(k.had, k.readModules()) {
		k.load()
	}
	return k.table.find(address)
}

func (k *Kernel) load() {
	first := k.loaded.IsZero()
	k.loaded, k.had = time.Now(), k.readModules()
	f, err := os.Open(k.symbols)
	if err == nil {
		defer f.Close()
		var t table
		if t, err = parse(f); err == nil {
			k.table = t
		}
	}
	if err != nil && first && k.log != nil {
		k.log.Warn("no kernel stacks: what a thread waits for inside the kernel is not known", "error", err,
			"do", "give CAP_SYSLOG, and see that kernel.kptr_restrict is not 2")
	}
}

// readModules is what /proc/modules says; a kernel without modules has none.
func (k *Kernel) readModules() []byte {
	all, _ := os.ReadFile(k.modules)
	return all
}

// table is the functions in the order of their addresses.
type table struct {
	functions []function
	names     []byte
	from, to  uint64 // the kernel's own text, without modules; 0 not known
}

type function struct {
	address uint64
	name    uint32 // where it begins in names
	length  uint16
	rank    uint8 // 0: a global one
}

// parse reads lines of address, type, name and, of a module's, its name.
func parse(r io.Reader) (t table, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		t.add(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return table{}, fmt.Errorf("read kernel symbols: %w", err)
	}
	if len(t.functions) == 0 {
		return table{}, ErrHidden
	}
	// Of several names of one address the global one is better known.
	slices.SortStableFunc(t.functions, func(a, b function) int {
		if a.address != b.address {
			return cmp.Compare(a.address, b.address)
		}
		return cmp.Compare(a.rank, b.rank)
	})
	t.functions = slices.CompactFunc(t.functions, func(a, b function) bool { return a.address == b.address })
	return t, nil
}

func (t *table) add(line []byte) {
	hex, rest, _ := bytes.Cut(line, []byte(" "))
	kind, name, _ := bytes.Cut(rest, []byte(" "))
	name, _, _ = bytes.Cut(name, []byte("\t"))
	address, err := strconv.ParseUint(string(hex), 16, 64)
	if err != nil || address == 0 || len(kind) != 1 || len(name) > maxName {
		return
	}
	switch string(name) {
	case "_stext":
		t.from = address
		return
	case "_etext":
		t.to = address
		return
	}
	rank := uint8(1)
	switch kind[0] {
	case 'T':
		rank = 0
	case 't', 'w', 'W':
	default:
		return
	}
	name = base(name)
	if len(name) == 0 || bytes.HasPrefix(name, padding) || len(t.functions) >= maxSymbols || len(t.names)+len(name) > maxText {
		return
	}
	t.functions = append(t.functions, function{address, uint32(len(t.names)), uint16(len(name)), rank})
	t.names = append(t.names, name...)
}

// padding begins the names of what stands before functions for call thunks.
var padding = []byte("__pfx_")

// base cuts off what the compiler has put behind a function's name: .isra.0,
// .constprop.0, .part.0, .cold.
func base(symbol []byte) []byte {
	if i := bytes.IndexByte(symbol, '.'); i > 0 {
		return symbol[:i]
	}
	return symbol
}

func (t *table) find(address uint64) string {
	i, ok := slices.BinarySearchFunc(t.functions, address, func(f function, a uint64) int { return cmp.Compare(f.address, a) })
	if !ok {
		i--
	}
	if i < 0 {
		return ""
	}
	f := &t.functions[i]
	if address-f.address >= maxFunction {
		return ""
	}
	return string(t.names[f.name : f.name+uint32(f.length)])
}
