package chaos

import (
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/steady"
)

// phase is a time of the load, and how the clients fared.
type phase struct {
	name      string
	perSecond float64
	p50, p99  time.Duration
}

// load is what the clients did in a phase, which begins with an act, and goes on
// at least for a time, and until something has come about.
func (s *stage) load(t *testing.T, name string, least time.Duration, act func() error, until func() bool) phase {
	t.Helper()
	if act != nil {
		if err := act(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	begin := time.Now()
	var took []time.Duration
	for len(took) == 0 || until != nil && !until() {
		more, err := steady.Latencies(t.Context(), s.clients, least)
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %d requests, %v", name, len(more), err)
		}
		if took = append(took, more...); time.Since(begin) > exportedWithin {
			t.Fatalf("%s: nothing was exported in %s", name, exportedWithin)
		}
	}
	slices.Sort(took)
	d := time.Since(begin)
	p := phase{name, float64(len(took)) / d.Seconds(), took[len(took)/2], took[len(took)*99/100]}
	t.Logf("%-24s %4.1f s: %4.0f requests a second, p50 %s, p99 %s", p.name, d.Seconds(), p.perSecond, p.p50.Round(10*time.Microsecond), p.p99.Round(10*time.Microsecond))
	return p
}

// unaffected holds the load while the collector was ill against the worst of the
// times at which it was well: a machine with other work has no even load.
func unaffected(t *testing.T, well, ill []phase) {
	t.Helper()
	worst, mean := well[0], 0.0
	for _, p := range well {
		if p.perSecond < worst.perSecond {
			worst = p
		}
	}
	for _, p := range ill {
		mean += p.perSecond / float64(len(ill))
	}
	if mean < 0.9*worst.perSecond {
		t.Errorf("%.0f requests a second while the collector was ill, %s: %.0f", mean, worst.name, worst.perSecond)
	}
}
