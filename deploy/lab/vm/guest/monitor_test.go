package guest

import (
	"debug/elf"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// probed is where a probe is put; its argument comes in a register (Go's
// ABIInternal, amd64: RAX).
//
//go:noinline
func probed(monitor uint64) uint64 { return monitor + 1 }

const argumentRegister = "rax"

// TestMonitors finds out whether a monitor's probe, which is a uprobe, can be
// had, and whether it reads a register: no JVM is here, so it is put on a
// function of this very program.
func TestMonitors(t *testing.T) {
	here(t)
	how := plan.Attached{Subject: bpf.SubjectMonitor}
	defer func() { printAttached(t, how) }()
	p, err := bpf.Open(bpf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	java := int64(7)
	site := bpf.USDTSite{Probe: "monitor__contended__exit", FileOffset: offsetOf(t, "guest.probed"),
		Args: []bpf.USDTArg{{Const: &java, Size: 8}, {Reg: argumentRegister, Size: 8}}}
	c, err := p.AttachSites(int32(os.Getpid()), "/proc/self/exe", []bpf.USDTSite{site})
	if errors.Is(err, bpf.ErrNotHere) {
		t.Logf("no monitors: %v", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const monitor = 0x7f00_1234_5678
	probed(monitor)
	if !sees(t, p, func(r *bpf.Record) bool {
		return r.Kind == bpf.KindMonitorExit && r.Monitor.Address == monitor && r.Monitor.JavaThread == java
	}) {
		t.Fatal("the probe is attached, and sees nothing")
	}
	for _, s := range p.Status() {
		if s.Name == bpf.SubjectMonitor {
			how.Backend, how.Works = s.Backend, []string{s.Backend}
		}
	}
}

// sees says whether a record of what happened so far is the wanted one.
func sees(t *testing.T, p *bpf.Probes, wanted func(*bpf.Record) bool) (yes bool) {
	t.Helper()
	for until := int64(now()); ; {
		mark, err := p.Read(10*time.Millisecond, func(raw []byte) {
			var r bpf.Record
			if err := bpf.Decode(raw, &r); err != nil {
				t.Error(err)
			}
			yes = yes || wanted(&r)
		})
		if err != nil {
			t.Fatal(err)
		}
		if yes || mark > until {
			return yes
		}
	}
}

// offsetOf is where a function of this program begins in its file.
func offsetOf(t *testing.T, name string) uint64 {
	t.Helper()
	f, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if !strings.HasSuffix(s.Name, name) {
			continue
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_LOAD && s.Value >= p.Vaddr && s.Value < p.Vaddr+p.Filesz {
				return s.Value - p.Vaddr + p.Off
			}
		}
	}
	t.Fatalf("no function %s", name)
	return 0
}
