package jvm

import (
	"debug/elf"
	"errors"
	"fmt"
	"strings"
)

const (
	maxSymbols  = 64 << 20 // bytes of .symtab: JDK 25 has 1.7 MB
	maxStrings  = 256 << 20
	maxFunction = 64 << 10 // bytes of code: these have 250 to 2,400
)

// ErrNoFunctions says that libjvm's own functions cannot be probed.
var ErrNoFunctions = errors.New("no functions to probe")

// The names of the sites of [MonitorFunctions]; the functions' are those of JDK 25.
const (
	monitorEnter   = "ObjectMonitor::enter_internal"
	monitorEntered = monitorEnter + ":return"
	monitorExit    = "ObjectMonitor::exit_epilog"
)

// How symbols begin (Itanium C++ ABI): class and function, in front of the
// parameters' types, which differ.
var (
	enterSymbols  = []string{"_ZN13ObjectMonitor14enter_internalE", "_ZN13ObjectMonitor6EnterIE"}
	callerSymbols = []string{"_ZN13ObjectMonitor26enter_with_contention_markE", "_ZN13ObjectMonitor5enterE"}
	exitSymbols   = []string{"_ZN13ObjectMonitor11exit_epilogE", "_ZN13ObjectMonitor10ExitEpilogE"}
)

// MonitorFunctions are the places in libjvm where a contended monitor passes that
// need no flag of the JVM's: the call of the function that waits, the next branch
// after that call, and the entry of the function by which a holder wakes the next
// thread. The monitor is the first argument of both functions; after the call it is
// not known any more. The lock's class is nowhere.
//
//	site                                   JDK 11      17      21      25
//	ObjectMonitor::enter_internal          EnterI      EnterI  EnterI  enter_internal
//	called by ObjectMonitor::              enter.part  enter   enter   enter_with_contention_mark
//	ObjectMonitor::enter_internal:return   +13         +45     +41     +38
//	ObjectMonitor::exit_epilog             ExitEpilog  …       …       exit_epilog
//	not used: UnlinkAfterAcquire           inlined     …       …       unlink_after_acquire
//
// as measured in Temurin 11.0.13, Debian's 17.0.15, Temurin 21.0.8 and 25.0.3, all
// for x86-64: one call in the whole library, and the branch so many bytes after it;
// for aarch64 in Temurin 21.0.8 and 25.0.2, +24.
// The call lies just after monitor__contended__enter, and its return before
// …entered, however the monitor was won: by spinning or from the queue
// (runtime/objectMonitor.cpp, ObjectMonitor::enter; 25: enter_with_contention_mark). A
// virtual thread that is unmounted to wait is not seen.
//
// No site is a uretprobe: neither the stack nor the system calls of a thread change.
// And none is a bare return, or another instruction that the kernel has to step over
// one by one, which takes a second trap: calls, branches and pushes it emulates
// (arch/x86/kernel/uprobes.c, branch_setup_xol_ops, push_setup_xol_ops). On a virtual
// machine that is 0.7 µs instead of 11.
//
// Any error is an ErrNoFunctions but for that of a file that cannot be read.
func MonitorFunctions(libjvm string) ([]Probe, error) {
	f, err := elf.Open(libjvm)
	if err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	defer f.Close()
	first, ok := firstArgument[f.Machine]
	if !ok || f.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("%w: %v is not supported", ErrNoFunctions, f.Machine)
	}
	symbols, err := functionSymbols(f)
	if err != nil {
		return nil, err
	}
	enter, err := function(symbols, enterSymbols)
	if err != nil {
		return nil, err
	}
	exit, err := function(symbols, exitSymbols)
	if err != nil {
		return nil, err
	}
	calls, err := callsOf(f, symbols, enter)
	if err != nil {
		return nil, err
	}
	monitor := []Arg{{Reg: first, Size: 8}}
	sites := sites{f: f}
	for _, c := range calls {
		sites.add(monitorEnter, c.at, monitor)
		sites.add(monitorEntered, c.after, nil)
	}
	sites.add(monitorExit, exit.Value, monitor)
	return sites.all, sites.err
}

// firstArgument is where a function has it, `this` of a method (System V ABI,
// AAPCS64).
var firstArgument = map[elf.Machine]string{elf.EM_X86_64: "rdi", elf.EM_AARCH64: "x0"}

// sites gathers places in a file's code; after an error it gathers no more.
type sites struct {
	f   *elf.File
	all []Probe
	err error
}

func (s *sites) add(name string, addr uint64, args []Arg) {
	offset, ok := fileOffset(s.f, addr, elf.PF_X)
	switch {
	case s.err != nil:
	case !ok:
		s.all, s.err = nil, fmt.Errorf("%w: no code at %#x for %s", ErrNoFunctions, addr, name)
	default:
		s.all = append(s.all, Probe{Name: name, FileOffset: offset, Args: args})
	}
}

// functionSymbols are those of ObjectMonitor's functions.
func functionSymbols(f *elf.File) ([]elf.Symbol, error) {
	table := f.Section(".symtab")
	if table == nil {
		return nil, fmt.Errorf("%w: libjvm has no .symtab section: it was stripped", ErrNoFunctions)
	}
	if table.Size > maxSymbols || int(table.Link) >= len(f.Sections) || f.Sections[table.Link].Size > maxStrings {
		return nil, fmt.Errorf("%w: a .symtab of %d bytes", ErrNoFunctions, table.Size)
	}
	all, err := f.Symbols()
	if err != nil {
		return nil, fmt.Errorf("read .symtab: %w", err)
	}
	var some []elf.Symbol
	for _, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && strings.HasPrefix(s.Name, "_ZN13ObjectMonitor") && s.Size > 0 && s.Size <= maxFunction {
			some = append(some, s)
		}
	}
	return some, nil
}

// function finds the one symbol of a function. One that the compiler has split, or
// has made copies of (name.part.0, name.constprop.0, …; name.cold is but where it
// fails), is entered elsewhere, too.
func function(all []elf.Symbol, names []string) (found elf.Symbol, err error) {
	for _, s := range all {
		if !begins(s.Name, names) || strings.HasSuffix(s.Name, ".cold") {
			continue
		}
		if found.Name != "" || strings.Contains(s.Name, ".") {
			return elf.Symbol{}, fmt.Errorf("%w: the compiler has made parts or copies: %s", ErrNoFunctions, s.Name)
		}
		found = s
	}
	if found.Name == "" {
		return found, fmt.Errorf("%w: %s… is missing from .symtab", ErrNoFunctions, names[0])
	}
	return found, nil
}

func begins(name string, with []string) bool {
	for _, prefix := range with {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
