package probeflag

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/jvm"
)

// switches is how often the flag goes on and off again on each JDK.
func switches(t *testing.T) int {
	n := 50
	if text := os.Getenv("LAB_SWITCHES"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestSwitching: on each JDK the flag goes on and off under load, with the probes
// attached: they fire while it is on and not while it is off, the value is back
// every time, and the JVM goes on unharmed.
func TestSwitching(t *testing.T) {
	trial.NeedRoot(t)
	all, err := jdk.All(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		t.Run(strings.ReplaceAll(j.String(), " ", "-"), func(t *testing.T) { switchOften(t, j, switches(t)) })
	}
}

func switchOften(t *testing.T, j jdk.JDK, n int) {
	dir := trial.Output(t)
	p := jvmUnder(t, j.Java(), dir)
	s := attach(t, p, j.LibJVM())
	ledger, who := jvm.Ledger{Dir: dir + "/state", Proc: "/proc", Who: t.Name()}, process(t, p)
	before, err := p.Count()
	if err != nil {
		t.Fatal(err)
	}
	var on, off []time.Duration
	for i := range n {
		began := time.Now()
		loan, err := ledger.SwitchOn(who)
		if err != nil {
			t.Fatalf("on, %d: %v", i, err)
		}
		on = append(on, time.Since(began))
		wantFlag(t, p, true)
		s.fire(t)
		began = time.Now()
		if done, err := loan.PutBack(); err != nil || !done {
			t.Fatalf("off, %d: %v, %v", i, done, err)
		}
		off = append(off, time.Since(began))
		wantFlag(t, p, false)
		s.silent(t)
		if t.Failed() {
			t.Fatalf("in round %d", i)
		}
	}
	unharmed(t, p, dir)
	notes(ledger.Dir).want(t, 0)
	after, err := p.Count()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(on)
	slices.Sort(off)
	took := after.Time - before.Time
	t.Logf("%s: %d times on and off in %v, at %.0f blocked enters a second; %d records while on, %d stragglers; on: median %v, longest %v; off: %v, %v",
		j, n, took.Round(time.Millisecond), float64(after.Blocked-before.Blocked)/took.Seconds(), s.fired, s.late,
		on[n/2], on[n-1], off[n/2], off[n-1])
}

// sites are the monitor probes attached to one JVM.
type sites struct {
	kernel *bpf.Probes
	pid    uint32
	fired  int // records while the flag was on
	late   int // while it was off: of threads that had looked at the flag before
}

func attach(t *testing.T, p *contend.Program, libjvm string) *sites {
	t.Helper()
	kernel, err := bpf.Open(bpf.Options{RingSize: 8 << 20})
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { kernel.Close() })
	found, err := jvm.MonitorSites(libjvm)
	if err != nil {
		t.Fatal(err)
	}
	var all []bpf.USDTSite
	for _, f := range found {
		s := bpf.USDTSite{Probe: f.Name, FileOffset: f.FileOffset}
		for _, a := range f.Args {
			s.Args = append(s.Args, bpf.USDTArg(a))
		}
		all = append(all, s)
	}
	c, err := kernel.AttachSites(int32(p.PID()), libjvm, all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &sites{kernel: kernel, pid: uint32(p.PID())}
}

// records reads those of the monitors of the JVM until the time is over.
func (s *sites) records(t *testing.T, within time.Duration) (n int) {
	t.Helper()
	_, err := s.kernel.Read(within, func(raw []byte) {
		var r bpf.Record
		if err := bpf.Decode(raw, &r); err != nil {
			t.Error(err)
		}
		if r.Kind >= bpf.KindMonitorEnter && r.Kind <= bpf.KindMonitorExit {
			n++
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

const (
	firesWithin = 5 * time.Second
	quiet       = 10 * time.Millisecond // in which 20 contended enters come
)

// fire waits until the probes have fired.
func (s *sites) fire(t *testing.T) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		if n := s.records(t, 0); n > 0 {
			s.fired += n
			return
		}
		if time.Since(began) > firesWithin {
			t.Error("the flag is on and no probe fires")
			return
		}
	}
}

// silent: but for a probe a thread that was under way, and what was fired
// before, nothing comes any more.
func (s *sites) silent(t *testing.T) {
	t.Helper()
	s.fired += s.records(t, 0)
	late, rounds := 0, 0
	for n := 1; n > 0; rounds++ {
		time.Sleep(quiet)
		n = s.records(t, 0)
		late += n
		if late > load.Threads {
			t.Errorf("the flag is off and probes fire: %d after %d times %v", late, rounds+1, quiet)
			return
		}
	}
	s.late += late
}
