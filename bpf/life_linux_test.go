package bpf

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Functions of this program that stand for the sites of a JVM's life: a name, its
// length, and a number.

// Where they lie is what an end finds its begin by: never on a stack, which moves.
var outer, inner, lost = []byte("Outer"), []byte("Inner"), []byte("Lost")

//go:noinline
func siteThread(name *byte, n int, id int64) int64 { return int64(n) + id + int64(*name) }

//go:noinline
func siteBegin(name *byte, n int, mode int64) int64 { return int64(n) - mode + int64(*name) }

//go:noinline
func siteEnd(name *byte, n int, mode int64) int64 { return int64(n) ^ mode + int64(*name) }

//go:noinline
func siteGCBegin(full bool) bool { return !full }

//go:noinline
func siteGCEnd(full bool) bool { return full }

func lifeSites(t testing.TB) []USDTSite {
	text := []USDTArg{{Reg: registerOf(0), Size: 8}, {Reg: registerOf(1), Size: -4}, {Reg: registerOf(2), Size: -8}}
	full := []USDTArg{{Reg: registerOf(0), Size: 1}}
	return []USDTSite{
		{"thread__start", entryOf(t, siteThread), text},
		{"vmops__begin", entryOf(t, siteBegin), text},
		{"vmops__end", entryOf(t, siteEnd), text},
		{"gc__begin", entryOf(t, siteGCBegin), full},
		{"gc__end", entryOf(t, siteGCEnd), nil},
	}
}

func TestLifeSites(t *testing.T) {
	for _, way := range []siteWay{uprobeMulti, uprobe, uprobeCopy} {
		t.Run(string(way), func(t *testing.T) { testLifeSites(t, way) })
	}
}

func testLifeSites(t *testing.T, way siteWay) {
	p := open(t, Options{see: []string{SubjectBlockIO}})
	p.sites.only = way
	// Of two subjects at once.
	sites := append(lifeSites(t), siteOf(t, "monitor__contended__exit", siteExit))
	sees, err := p.AttachSites(int32(os.Getpid()), os.Args[0], sites)
	if errors.Is(err, ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{SubjectLife, SubjectMonitor} {
		check(t, "backend of "+name, backendOf(p, name), string(way))
	}
	runtime.LockOSThread() // begins and ends meet by thread
	defer runtime.UnlockOSThread()
	long := []byte(strings.Repeat("n", 200))
	siteThread(&long[0], len(long), 77)
	siteBegin(&lost[0], 4, 0) // never ends
	siteEnd(&inner[0], 5, 0)  // never began
	siteBegin(&outer[0], 5, 0)
	siteBegin(&inner[0], 5, 1)
	siteGCBegin(true)
	siteGCEnd(false)
	siteEnd(&inner[0], 5, 1)
	siteEnd(&outer[0], 5, 0)
	siteExit(1, 2)

	got := drain(t, p)
	want := []Record{
		{Kind: KindThreadStart, ThreadStart: ThreadStart{JavaThread: 77, Name: long[:maxThread]}},
		{Kind: KindGC, VM: VM{Full: true}},
		{Kind: KindVMOperation, VM: VM{Name: inner, Concurrent: true}},
		{Kind: KindVMOperation, VM: VM{Name: outer}},
		{Kind: KindMonitorExit, Monitor: Monitor{JavaThread: 1, Address: 2}},
	}
	if len(got) != len(want) {
		t.Fatalf("%d records", len(got))
	}
	for i, w := range want {
		g := got[i]
		check(t, "kind", g.Kind, w.Kind)
		check(t, "tgid", g.TGID, int32(os.Getpid()))
		check(t, "thread", g.ThreadStart.JavaThread, w.ThreadStart.JavaThread)
		check(t, "thread's name", string(g.ThreadStart.Name), string(w.ThreadStart.Name))
		check(t, "operation", string(g.VM.Name), string(w.VM.Name))
		check(t, "concurrent", g.VM.Concurrent, w.VM.Concurrent)
		check(t, "full", g.VM.Full, w.VM.Full)
		check(t, "monitor", g.Monitor.Address, w.Monitor.Address)
	}
	gc, in, out := got[1], got[2], got[3]
	if !(out.VM.Start < in.VM.Start && in.VM.Start < gc.VM.Start && gc.VM.Start < gc.Time && gc.Time < in.Time && in.Time < out.Time) {
		t.Errorf("not nested: %+v, %+v, %+v", out.VM, in.VM, gc.VM)
	}
	if err := sees.Close(); err != nil {
		t.Fatal(err)
	}
	check(t, "attached after Close", attached(p, SubjectLife) || attached(p, SubjectMonitor), false)
	check(t, "free sites after Close", len(p.sites.free), maxSites)
}

// A function's return has its monitor from the entry of the same thread.
func TestFunctionSites(t *testing.T) {
	p := open(t, Options{see: []string{SubjectBlockIO}})
	arg := []USDTArg{{Reg: registerOf(1), Size: 8}}
	sites := []USDTSite{
		{"ObjectMonitor::enter_internal", entryOf(t, siteEntered), arg},
		{"ObjectMonitor::enter_internal:return", entryOf(t, siteThread), nil},
		{"ObjectMonitor::exit_epilog", entryOf(t, siteExit), arg},
	}
	sees, err := p.AttachSites(int32(os.Getpid()), os.Args[0], sites)
	if errors.Is(err, ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var b byte
	siteThread(&b, 0, 0) // it was entered before we came
	siteEntered(0, 1<<40)
	siteThread(&b, 0, 0)
	siteThread(&b, 0, 0)
	siteExit(0, 1<<41)
	got := drain(t, p)
	if len(got) != 3 {
		t.Fatalf("%d records", len(got))
	}
	for i, want := range []Record{{Kind: KindMonitorEnter, Monitor: Monitor{Address: 1 << 40}},
		{Kind: KindMonitorEntered, Monitor: Monitor{Address: 1 << 40}}, {Kind: KindMonitorExit, Monitor: Monitor{Address: 1 << 41}}} {
		check(t, "kind", got[i].Kind, want.Kind)
		check(t, "monitor", got[i].Monitor.Address, want.Monitor.Address)
		check(t, "by function", got[i].Monitor.Function, true)
		check(t, "class", len(got[i].Monitor.Class), 0)
	}
	siteEntered(0, 1<<42) // and returned while nobody looked
	if err := sees.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.AttachSites(int32(os.Getpid()), os.Args[0], sites); err != nil {
		t.Fatal(err)
	}
	siteThread(&b, 0, 0)
	check(t, "records of a wait that was lost sight of", len(drain(t, p)), 1)
}

// BenchmarkLife measures the program by the kernel's own count, as BenchmarkHit
// does. What the trap costs is not in it, nor would it tell: these functions begin
// with instructions that the kernel steps over one by one, a probe is a nop.
func BenchmarkLife(b *testing.B) {
	name := []byte("data-plane-kafka-request-handler-24")
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"thread_start", func() { siteThread(&name[0], len(name), 1) }},
		{"operation", func() {
			siteBegin(&name[0], 9, 0)
			siteEnd(&name[0], 9, 0)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			needRoot(b)
			stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
			if err != nil {
				b.Skip("no BPF statistics: ", err)
			}
			defer stats.Close()
			p := open(b, Options{see: []string{SubjectBlockIO}, RingSize: 64 << 20})
			if _, err := p.AttachSites(int32(os.Getpid()), os.Args[0], lifeSites(b)); err != nil {
				b.Skip(err)
			}
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for b.Loop() {
				c.f()
			}
			err = p.eachProgram(func(name string, _ *ebpf.Program, s *ebpf.ProgramStats) {
				if s.RunCount >= uint64(b.N) {
					b.ReportMetric(float64(s.Runtime)/float64(s.RunCount), name+"-ns")
				}
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}
