package contend

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

// own is the oldest JDK of the machine.
func own(t *testing.T) jdk.JDK {
	t.Helper()
	if testing.Short() {
		t.Skip("a JVM takes seconds (-short)")
	}
	all, err := jdk.Machine()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Skip("the machine has no JDK")
	}
	return all[0]
}

// TestModes: by the JVM's own count of blocked enters, each mode contends as it
// is said to; and one JVM does one after the other.
func TestModes(t *testing.T) {
	p := launched(t, own(t), t.TempDir())
	for name, c := range map[string]struct {
		o           Options
		least, most float64 // blocked enters, of the holds; some are the JVM's own, when it loads a class
	}{
		"even":  {Options{Mode: Even, Threads: 4, Rate: 500, Kept: 10_000}, 0.9, 1.05},
		"queue": {Options{Mode: Even, Threads: 8, Locks: 2, Rate: 500, Kept: 10_000}, 0.9, 1.05},
		"slow":  {Options{Mode: Slow, Threads: 5, Hold: 10 * time.Millisecond, Quick: 100 * time.Microsecond, Kept: 10_000}, 0.75, 0.85},
		"chain": {Options{Mode: Chain, Threads: 4, Hold: 10 * time.Millisecond, Kept: 10_000}, 0.4, 0.55},
	} {
		t.Run(name, func(t *testing.T) {
			part := 0.0
			// Where other programs have the CPUs, threads meet less often.
			for try := 0; try < 3 && (part < c.least || part > c.most); try++ {
				part = contended(t, p, c.o)
			}
			if part < c.least || part > c.most {
				t.Errorf("want %g to %g", c.least, c.most)
			}
		})
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// contended is the part of a second's holds that began with a wait, in a mode that
// keeps its locks and writes down what it did.
func contended(t *testing.T, p *Program, o Options) float64 {
	if err := p.Run(o); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	log, counts, err := p.EndLogged()
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for _, holds := range log.Holds {
		kept += len(holds)
	}
	part := float64(counts.Blocked) / float64(counts.Holds)
	t.Logf("%d holds, %d of them after a wait (%.3f)", counts.Holds, counts.Blocked, part)
	if log.Blocked() != counts.Blocked || int64(kept) != counts.Holds {
		t.Errorf("%d holds written down, %d waits", kept, log.Blocked())
	}
	for lock, holds := range log.Holds {
		for i := 1; i < len(holds); i++ {
			if holds[i].Got < holds[i-1].Released {
				t.Fatalf("lock %d: two at once: %+v, %+v", lock, holds[i-1], holds[i])
			}
		}
	}
	return part
}

// TestRate: the rate of contended enters is kept, changed, and told; workers work.
func TestRate(t *testing.T) {
	p := launched(t, own(t), t.TempDir())
	if err := p.Run(Options{Mode: Even, Threads: 8, Rate: 400, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	for _, rate := range []int{400, 2000} {
		if err := p.Rate(rate); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		before, err1 := p.Count()
		time.Sleep(time.Second)
		after, err2 := p.Count()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		got := float64(after.Blocked-before.Blocked) / (after.Time - before.Time).Seconds()
		t.Logf("%d/s asked, %.0f/s had, %d work", rate, got, after.Work-before.Work)
		if got > 1.1*float64(rate) || got < 0.5*float64(rate) || after.Work == before.Work {
			t.Errorf("%.0f contended enters a second, want %d", got, rate)
		}
	}
	if c, err := p.End(); err != nil || c.Holds == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	for _, o := range []Options{{Mode: Even, Threads: 1, Rate: 1}, {Mode: Even, Threads: 4}, {Mode: Even, Threads: 3, Locks: 2, Rate: 1}} {
		if o.check() == nil {
			t.Errorf("%+v is taken", o)
		}
	}
}
