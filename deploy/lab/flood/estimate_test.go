package flood

import (
	"math"
	"testing"
)

func TestProbability(t *testing.T) {
	for _, c := range []struct {
		state string
		p     float64
		ok    bool
	}{
		{"ot=th:0", 1, true},
		{"ot=th:8", 0.5, true},
		{"ot=th:c", 0.25, true},
		{"ot=rv:6e6d1a75832a2f;th:e", 0.125, true},
		{"vendor=x,ot=th:ff", 1.0 / 256, true},
		{"", 0, false},
		{"ot=rv:6e6d1a75832a2f", 0, false},
		{"ot=th:", 0, false},
		{"ot=th:xyz", 0, false},
		{"ot=th:000000000000000", 0, false},
	} {
		if p, ok := probability(c.state); ok != c.ok || math.Abs(p-c.p) > 1e-12 {
			t.Errorf("%q: %v %v, want %v %v", c.state, p, ok, c.p, c.ok)
		}
	}
}

func TestEstimate(t *testing.T) {
	var e Estimate
	for _, s := range []string{"ot=th:0", "ot=th:8", "ot=th:8", ""} {
		e.add(s)
	}
	if e.Kept != 4 || e.Unknown != 1 || e.Of != 5 || e.Variance != 4 || e.Deviation() != 2 {
		t.Errorf("%+v", e)
	}
	if s := e.plus(e); s.Kept != 8 || s.Of != 10 || s.Variance != 8 {
		t.Errorf("%+v", s)
	}
}
