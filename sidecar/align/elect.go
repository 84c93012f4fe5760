package align

import "time"

const (
	// reach is how far the clocks may differ, and reachMore for each ns since the
	// first wait; reachMost at all.
	reach     = int64(2 * time.Second)
	reachMore = steepest / 2
	reachMost = int64(time.Minute)
	// mostWaits and maxPoints bound what is voted about.
	mostWaits = 512
	maxPoints = 1 << 15
	// share is one in how many waits must have a sleep by a line.
	share = 4
)

// Reach is how far the clocks may differ so long after the first wait.
func Reach(since int64) int64 {
	return min(reach+int64(reachMore*float64(max(since, 0))), reachMost)
}

// elect finds a line for some waits, and the first that has a sleep by it; -1 if
// there is no line, or no clear one.
func (a *aligner) elect(from, to int) (fit, int) {
	step := 1 + (to-from)/mostWaits
	points := a.points(from, to, step)
	if len(points) < fewest {
		return fit{}, -1
	}
	low, high := points[0].t, points[len(points)-1].t
	b := ballot{middle: low + (high-low)/2, span: float64(max(high-low, 1))}
	a.work += len(points) * (b.slopes(steepest, coarse) + b.slopes(b.finer(), fine))
	line, ok := b.vote(points)
	if !ok {
		return fit{}, -1
	}
	return a.follow(line, from, to, step)
}

// points are all that could be: of each wait the sleeps that are alike.
func (a *aligner) points(from, to, step int) (points []point) {
	for k := from; k < to && len(points) < maxPoints && a.work < maxWork; k += step {
		w := a.at(k)
		far := Reach(w.End - a.first)
		near := slept(a.sleeps[w.TID], w.End-far, w.End+far)
		a.work += len(near)
		for i := range near {
			if alike(w, &near[i]) {
				points = append(points, point{w.End, near[i].end - w.End})
			}
		}
	}
	return points
}

// doubts are those about a line that is fitted again and again.
var doubts = [...]int64{fine, fine / 2, fine / 4, 0, 0, 0}

// follow fits a line to the waits that have a sleep by it, and finds the first of
// them. There must be enough.
func (a *aligner) follow(l Line, from, to, step int) (f fit, begin int) {
	for _, doubt := range doubts {
		f = fit{Line: l}
		waits, paired := 0, 0
		for k := from; k < to; k += step {
			w := a.at(k)
			waits++
			if ns, ok := late(a.sleeps[w.TID], w, l, doubt); ok {
				paired++
				f.add(w.End, l.At(w.End)-ns, ns < 0)
			}
		}
		if paired < fewest || paired*share < waits {
			return f, -1
		}
		l = f.Line
	}
	for k := from; k < to; k += step {
		w := a.at(k)
		if _, ok := late(a.sleeps[w.TID], w, l, 0); ok {
			return f, k
		}
	}
	return f, -1
}
