package jaeger

import "testing"

func TestCheck(t *testing.T) {
	root := Span{ID: "r", Start: 100, Duration: 50}
	child := func(start, duration int64, parent string) Span {
		return Span{ID: "c", Start: start, Duration: duration, References: []Reference{{Type: "CHILD_OF", SpanID: parent}}}
	}
	for _, c := range []struct {
		name  string
		spans []Span
		wrong int
	}{
		{"good", []Span{root, child(100, 50, "r")}, 0},
		{"rounded", []Span{root, child(100, 52, "r")}, 0},
		{"early", []Span{root, child(99, 10, "r")}, 1},
		{"late", []Span{root, child(110, 43, "r")}, 1},
		{"orphan", []Span{root, child(110, 10, "x")}, 1},
		{"two roots", []Span{root, root}, 1},
		{"no root", nil, 1},
		{"warned", []Span{{ID: "r", Warnings: []string{"clock skew adjustment disabled"}}}, 1},
	} {
		if got := (&Trace{Spans: c.spans}).Check(); len(got) != c.wrong {
			t.Errorf("%s: %v, want %d", c.name, got, c.wrong)
		}
	}
}
