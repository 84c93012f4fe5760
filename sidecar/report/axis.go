package report

import "github.com/tailspan/tailspan/spans"

// axis maps time to cells. Instants are relative to the start of the trace
// that the picture is of.
type axis struct {
	origin int64 // Unix ns
	lo, hi int64 // relative to it
	cells  int
	step   int64 // between two ticks
}

// newAxis spans the sections' rows, but no more than half the trace's own
// length before and after it: what goes beyond is cut.
func newAxis(sections []*section, cells int) axis {
	root := sections[0].trace.Root()
	length := min(max(root.End-root.Start, 1), 1<<60)
	a := axis{origin: root.Start, lo: 0, hi: length, cells: cells}
	for _, s := range sections[1:] {
		for i := range s.rows {
			a.lo = min(a.lo, max(s.rows[i].span.Start-a.origin, -length/2))
			a.hi = max(a.hi, min(s.rows[i].span.End-a.origin, length+length/2))
		}
	}
	a.step = step((a.hi-a.lo)/int64(cells)*minTick + 1)
	return a
}

// minTick is the least number of cells between two ticks: their labels' width.
const minTick = 9

// step is the smallest of 1, 2, 5, 10, … that is at least n.
func step(n int64) int64 {
	for s := int64(1); ; s *= 10 {
		for _, f := range [...]int64{1, 2, 5} {
			if s*f >= n || s > 1<<60/10 {
				return s * f
			}
		}
	}
}

// half is the half cell of an instant.
func (a *axis) half(unix int64) int {
	t := min(max(unix-a.origin, a.lo), a.hi)
	n := float64(t-a.lo) / float64(a.hi-a.lo) * float64(2*a.cells)
	return int(n + 0.5)
}

// Weights of a half cell of a bar.
const (
	empty = iota
	light // a child's time
	heavy // the span's own time
)

// bar is a span's line on the axis, in half cells; never quite empty.
func (a *axis) bar(s *spans.Span, kids []*spans.Span) []uint8 {
	bar := make([]uint8, 2*a.cells)
	from, to := a.half(s.Start), a.half(s.End)
	if from == to {
		from = min(from, 2*a.cells-1)
		to = from + 1
	}
	for i := from; i < to; i++ {
		bar[i] = heavy
	}
	for _, k := range kids {
		for i := max(a.half(k.Start), from); i < min(a.half(k.End), to); i++ {
			bar[i] = light
		}
	}
	return bar
}

// cut says on which sides a span goes beyond the axis.
func (a *axis) cut(s *spans.Span) (left, right bool) {
	return s.Start-a.origin < a.lo, s.End-a.origin > a.hi
}

// label writes an instant of the axis in the unit of its steps.
func (a *axis) label(t int64) string {
	if t == 0 {
		return "0"
	}
	switch {
	case a.step >= 1_000_000_000:
		return itoa(t/1_000_000_000) + "s"
	case a.step >= 1_000_000:
		return itoa(t/1_000_000) + "ms"
	case a.step >= 1_000:
		return itoa(t/1_000) + "µs"
	}
	return itoa(t) + "ns"
}
