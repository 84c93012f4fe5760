package chaos

import (
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

// load is what the clients did in a phase, which begins with an act.
func (s *stage) load(t *testing.T, name string, d time.Duration, act func() error) phase {
	t.Helper()
	if act != nil {
		if err := act(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	begin := time.Now()
	took, err := steady.Latencies(t.Context(), s.clients, d)
	if err != nil || len(took) == 0 {
		t.Fatalf("%s: %d requests, %v", name, len(took), err)
	}
	p := phase{name, float64(len(took)) / time.Since(begin).Seconds(), took[len(took)/2], took[len(took)*99/100]}
	t.Logf("%-28s %5.0f requests a second, p50 %s, p99 %s", p.name, p.perSecond, p.p50.Round(10*time.Microsecond), p.p99.Round(10*time.Microsecond))
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
