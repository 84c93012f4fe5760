package govern

import (
	"context"
	"errors"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

// cycles is how often the probes are put on and taken off: $LAB_CYCLES, or few.
func cycles(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("LAB_CYCLES"))
	if err != nil {
		return 100
	}
	return n
}

const (
	cycleRate = 5000            // contended enters a second
	batch     = 100             // cycles after which it is looked at how the JVM does
	seesIn    = 5 * time.Second // on a busy machine
)

// TestCycles puts the probes of a JVM on and takes them off under load, again
// and again. Each time they must see it; it must go on as before, with not a
// byte of its code changed in the end, and nothing of ours must be left.
func TestCycles(t *testing.T) {
	machine(t, func(t *testing.T, j jdk.JDK) {
		p, err := bpf.Open(bpf.Options{RingSize: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		s := start(t, j)
		if err := s.Run(contend.Options{Mode: contend.Even, Threads: 10, Locks: 5, Rate: cycleRate}); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		records := make(chan int, 1)
		go drain(ctx, p, records)

		before := s.rate(t, 2*time.Second)
		var on, off []time.Duration
		var files []string
		all := cycles(t)
		slowest, from, began := before, s.count(t), time.Now()
		for n := 1; n <= all; n++ {
			a, b := s.cycle(t, p, n == 1)
			on, off = append(on, a), append(off, b)
			if n == 1 {
				files = descriptors(t) // what is loaded once is
			}
			if n%batch == 0 {
				c := s.count(t)
				rate := float64(c.Holds-from.Holds) / (c.Time - from.Time).Seconds()
				slowest, from = min(slowest, rate), c
			}
		}
		took := time.Since(began)
		after := s.rate(t, 2*time.Second)
		stop()
		t.Logf("%d cycles in %v, %d records: on in %v (most %v), off in %v (most %v); %.0f holds a second before, %.0f at least meanwhile, %.0f after",
			all, took.Round(time.Second), <-records, figures.Median(on), slices.Max(on), figures.Median(off), slices.Max(off), before, slowest, after)
		if least := before / 2; slowest < least || after < least {
			t.Error("the JVM did less than half of what it did before")
		}
		if now := descriptors(t); !slices.Equal(now, files) {
			t.Errorf("descriptors %q, before %q", now, files)
		}
		if _, err := s.End(); err != nil {
			t.Error(err)
		}
		s.unharmed(t)
	})
}

// cycle puts the probes on until they have seen something, and takes them off.
func (s *subject) cycle(t *testing.T, p *bpf.Probes, first bool) (on, off time.Duration) {
	t.Helper()
	before := enters(t, p, s.PID())
	began := time.Now()
	a, err := p.AttachSites(int32(s.PID()), s.lib, s.sites)
	if errors.Is(err, bpf.ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	on = time.Since(began)
	for since := time.Now(); ; time.Sleep(time.Millisecond) {
		if enters(t, p, s.PID()) > before {
			break
		}
		if !s.Alive() || time.Since(since) > seesIn {
			t.Fatalf("nothing seen for %v; alive: %t", seesIn, s.Alive())
		}
	}
	if first {
		if n := s.trapped(t, s.sites); n != len(s.sites) {
			t.Fatalf("breakpoints at %d of %d sites", n, len(s.sites))
		}
	}
	began = time.Now()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return on, time.Since(began)
}

func enters(t *testing.T, p *bpf.Probes, pid int) uint64 {
	t.Helper()
	n, err := p.Enters(int32(pid))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// drain empties the ring as often as the product does, until ctx ends.
func drain(ctx context.Context, p *bpf.Probes, records chan<- int) {
	n := 0
	for ctx.Err() == nil {
		if _, err := p.Read(0, func([]byte) { n++ }); err != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	records <- n
}

func (s *subject) count(t *testing.T) contend.Counts {
	t.Helper()
	c, err := s.Count()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rate is how often a lock is taken in a second.
func (s *subject) rate(t *testing.T, over time.Duration) float64 {
	t.Helper()
	a := s.count(t)
	time.Sleep(over)
	b := s.count(t)
	return float64(b.Holds-a.Holds) / (b.Time - a.Time).Seconds()
}
