package bpf

import (
	"debug/elf"
	"errors"
	"os"
	"reflect"
	"runtime"
	"testing"
)

// Functions of this program that stand for a probe's sites; their arguments are
// where Go's ABI has them.

//go:noinline
func siteEntered(thread int64, monitor uint64) uint64 { return monitor + uint64(thread) }

//go:noinline
func siteExit(thread int64, monitor uint64) uint64 { return monitor - uint64(thread) }

func siteOf(t testing.TB, probe string, f func(int64, uint64) uint64) USDTSite {
	return USDTSite{probe, entryOf(t, f), []USDTArg{{Reg: registerOf(0), Size: -8}, {Reg: registerOf(1), Size: 8}}}
}

// entryOf is where a function of this program begins in its file.
func entryOf(t testing.TB, f any) uint64 {
	t.Helper()
	file, err := elf.Open(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return fileOffset(t, file, uint64(reflect.ValueOf(f).Pointer()))
}

// registerOf is where Go's ABI has an argument.
func registerOf(argument int) string {
	return map[string][]string{"amd64": {"rax", "rbx", "rcx"}, "arm64": {"x0", "x1", "x2"}}[runtime.GOARCH][argument]
}

// Each way of attaching tells one site from another, and takes all of it off
// again.
func TestSites(t *testing.T) {
	for _, way := range []siteWay{uprobeMulti, uprobe, uprobeCopy} {
		t.Run(string(way), func(t *testing.T) { testSites(t, way) })
	}
}

func testSites(t *testing.T, way siteWay) {
	p := open(t, Options{})
	p.sites.only = way
	sees, err := p.AttachSites(int32(os.Getpid()), os.Args[0], []USDTSite{
		siteOf(t, "monitor__contended__entered", siteEntered),
		siteOf(t, "monitor__contended__exit", siteExit),
	})
	if errors.Is(err, ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	hit := func() {
		siteExit(-7, 1<<40)
		siteEntered(8, 1<<41)
	}
	hit()
	got := drain(t, p)
	if len(got) != 2 {
		t.Fatalf("%d records", len(got))
	}
	for i, want := range []Record{
		{Kind: KindMonitorExit, Monitor: Monitor{JavaThread: -7, Address: 1 << 40}},
		{Kind: KindMonitorEntered, Monitor: Monitor{JavaThread: 8, Address: 1 << 41}},
	} {
		check(t, "kind", got[i].Kind, want.Kind)
		check(t, "thread", got[i].Monitor.JavaThread, want.Monitor.JavaThread)
		check(t, "monitor", got[i].Monitor.Address, want.Monitor.Address)
		check(t, "tgid", got[i].TGID, int32(os.Getpid()))
	}
	if err := sees.Close(); err != nil {
		t.Fatal(err)
	}
	hit()
	check(t, "records after Close", len(drain(t, p)), 0)
	check(t, "free sites after Close", len(p.sites.free), maxSites)
}

// Once all is closed nothing is attached any more, and nothing can be.
func TestAttachSitesClosed(t *testing.T) {
	p := open(t, Options{see: []string{SubjectBlockIO}})
	sites := []USDTSite{ownSite(t)}
	a, err := p.AttachSites(int32(os.Getpid()), os.Args[0], sites)
	if errors.Is(err, ErrNotHere) {
		t.Skip(err)
	}
	if err := errorsOf(err, p.Close(), a.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := p.AttachSites(int32(os.Getpid()), os.Args[0], sites); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
