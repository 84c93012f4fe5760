package align

import "math"

// point is what the difference of the clocks was, if a wait and a sleep are of
// one another.
type point struct{ t, offset int64 }

const (
	coarse = 1e6 // ns: the width of a line at first
	fine   = 1e5
	// fewest points make a line, and clearly times as many as lie on any other that
	// is more than elsewhere times its width away.
	fewest    = 8
	clearly   = 2
	elsewhere = 10
)

// vote finds the line on which most points lie, if there is one and no other:
// those that are right lie on it, the rest anywhere.
func (b *ballot) vote(points []point) (Line, bool) {
	line, votes := b.best(points, Line{at: b.middle}, steepest, coarse)
	on, off := split(points, line, elsewhere*coarse)
	if _, other := b.count(off, line.slope, coarse); votes < fewest || votes < clearly*other {
		return Line{}, false
	}
	on, _ = split(on, line, 2*coarse)
	line, votes = b.best(on, line, b.finer(), fine)
	return line, votes >= fewest
}

// finer is how far the slope may be from one that is known coarsely.
func (b *ballot) finer() float64 { return min(2*coarse/b.span, steepest) }

// slopes is how many are tried within reach: at either end of the span one is a
// quarter of the width from the next.
func (b *ballot) slopes(reach, width float64) int {
	return 1 + 2*int(reach*b.span/(width/2))
}

// split divides points by whether they lie on a line of this width.
func split(points []point, l Line, width float64) (on, off []point) {
	for _, p := range points {
		if math.Abs(float64(p.offset-l.At(p.t))) <= width {
			on = append(on, p)
		} else {
			off = append(off, p)
		}
	}
	return on, off
}

// ballot counts points of a time in cells of offsets.
type ballot struct {
	middle int64   // of the time
	span   float64 // ns of it, not 0
	cells  []int32
	flat   []float64 // offsets, if the line is level
}

// best tries slopes about that of a line, the nearest first.
func (b *ballot) best(points []point, about Line, reach, width float64) (best Line, votes int) {
	for i := range b.slopes(reach, width) {
		slope := about.slope + width/2/b.span*float64((i+1)/2)*float64(1-i%2*2)
		if l, n := b.count(points, slope, width); n > votes {
			best, votes = l, n
		}
	}
	return best, votes
}

// count finds the offset near which most points lie, given a slope: two cells
// side by side.
func (b *ballot) count(points []point, slope, width float64) (best Line, votes int) {
	b.flat = b.flat[:0]
	least, most := math.Inf(1), math.Inf(-1)
	for i := range points {
		flat := float64(points[i].offset) - slope*float64(points[i].t-b.middle)
		least, most = min(least, flat), max(most, flat)
		b.flat = append(b.flat, flat)
	}
	if n := int(max(most-least, 0)/width) + 3; len(b.cells) < n {
		b.cells = make([]int32, n)
	}
	at := 0
	for _, flat := range b.flat {
		i := 1 + int((flat-least)/width)
		b.cells[i]++
		below, above := b.cells[i]+b.cells[i-1], b.cells[i]+b.cells[i+1]
		if n := int(max(below, above)); n > votes {
			if votes, at = n, i; below > above {
				at--
			}
		}
	}
	for _, flat := range b.flat {
		b.cells[1+int((flat-least)/width)] = 0
	}
	return Line{b.middle, least + float64(at)*width, slope}, votes
}
