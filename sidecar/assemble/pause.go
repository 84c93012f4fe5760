package assemble

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	// minPause is the shortest stop of the Java threads that is told.
	minPause = event.Time(100 * time.Microsecond)
	// pausesKept is how many of a broker are remembered: for as long as a request
	// lingers, if there are ninety a second.
	pausesKept = 1024
	// maxPauses bounds those of one trace: the longest.
	maxPauses = 16
)

func (a *Assembler) pause(e *event.Pause) {
	b := a.broker(e.PID)
	if a.o.Measures != nil {
		a.o.Measures.MeasurePause(b.id.Node, e.GC, time.Duration(e.End-e.Start))
	}
	if e.End-e.Start >= minPause {
		b.pauses.add(e, pausesKept)
	}
}

// pausesIn are those between two instants, by start; an operation stands before
// the GC in it.
func (b *broker) pausesIn(from, to event.Time) (all []*event.Pause) {
	for p := range b.pauses.latest {
		if p.End <= from {
			break
		}
		if p.Start < to {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(x, y *event.Pause) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(y.End, x.End))
	})
	return all
}

// longestPauses keeps maxPauses of them, in their order.
func longestPauses(all []*event.Pause) []*event.Pause {
	return first(all, maxPauses, func(x, y **event.Pause) int { return cmp.Compare((*y).End-(*y).Start, (*x).End-(*x).Start) })
}

// interval is a stretch of time.
type interval struct{ start, end event.Time }

// stops is when the Java threads stood still, and for what; each list in order
// and without overlaps.
type stops struct {
	all, gc []interval
	busy    []interval // when the threads of a request did not need to run
}

func (s *stops) of(pauses []*event.Pause) {
	s.all, s.gc, s.busy = s.all[:0], s.gc[:0], s.busy[:0]
	for _, p := range pauses {
		s.all = append(s.all, interval{p.Start, p.End})
		if p.GC {
			s.gc = append(s.gc, interval{p.Start, p.End})
		}
	}
	s.all, s.gc = union(s.all), union(s.gc)
}

// union makes one of those that overlap, and leaves them in order.
func union(all []interval) []interval {
	slices.SortFunc(all, func(x, y interval) int { return cmp.Compare(x.start, y.start) })
	n := 0
	for _, x := range all {
		if n > 0 && x.start <= all[n-1].end {
			all[n-1].end = max(all[n-1].end, x.end)
			continue
		}
		all[n] = x
		n++
	}
	return all[:n]
}

// common is how much of two unions lies in both, between from and to.
func common(a, b []interval, from, to event.Time) (sum event.Time) {
	for len(a) > 0 && len(b) > 0 {
		sum += max(0, min(a[0].end, b[0].end, to)-max(a[0].start, b[0].start, from))
		if a[0].end < b[0].end {
			a = a[1:]
		} else {
			b = b[1:]
		}
	}
	return sum
}

// cost divides the time between from and to in which a request's own threads
// would have run into that of GCs and that of other operations. What lies inside
// a write or an fsync goes on meanwhile: a thread is stopped when it comes back
// to Java (safepoint.cpp, SafepointSynchronize: _thread_in_native). A thread that
// waits for a monitor waits for its holder, who may be in a write.
func (s *stops) cost(c *costs, from, to event.Time) (stopped event.Time) {
	whole := []interval{{from, to}}
	gc := common(s.gc, whole, from, to) - common(s.gc, s.busy, from, to)
	all := common(s.all, whole, from, to) - common(s.all, s.busy, from, to)
	c[costGC] += gc
	c[costVMOperation] += all - gc
	return all
}

// stoppedMost is what had the Java threads stand still for most of the time
// between two instants: of a hold in which nothing else was seen, that is why it
// lasted.
func (b *broker) stoppedMost(from, to event.Time) spans.Cause {
	pauses := b.pausesIn(from, to)
	if len(pauses) == 0 {
		return spans.CauseNone
	}
	var s stops
	var c costs
	s.of(pauses)
	if 2*s.cost(&c, from, to) < to-from {
		return spans.CauseNone
	}
	return c.largest()
}
