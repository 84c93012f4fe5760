package page

import "github.com/tailspan/tailspan/spans"

const (
	maxHops   = 8       // links followed from a slow trace
	maxWanted = 1 << 14 // linked to and not met yet
)

// candidate is a finished trace that is not built yet.
type candidate interface{ BuildTrace() *spans.Trace }

// keeper keeps slow traces, and what they link to.
type keeper struct {
	limit  int
	traces map[spans.TraceID]*spans.Trace
	wanted map[spans.TraceID]int // hops that are left
	recent recentTraces
	full   bool   // there is room for slow ones only
	missed uint64 // linked to, and not kept for want of room
}

func newKeeper(l *limits) keeper {
	return keeper{limit: l.traces, traces: map[spans.TraceID]*spans.Trace{}, wanted: map[spans.TraceID]int{},
		recent: recentTraces{limit: l.candidates, index: map[spans.TraceID]int{}}}
}

// keep builds a trace and those that it links to, as far as they are there.
func (k *keeper) keep(c candidate, hops int) *spans.Trace {
	t := c.BuildTrace()
	if t == nil || len(t.Spans) == 0 {
		return nil
	}
	k.traces[t.ID] = t
	if hops == 0 {
		return t
	}
	for id := range linked(t) {
		k.want(id, hops-1)
	}
	return t
}

// linked are the traces that a trace's spans link to, of Tailspan's own.
func linked(t *spans.Trace) func(yield func(spans.TraceID) bool) {
	return func(yield func(spans.TraceID) bool) {
		for i := range t.Spans {
			for j := range t.Spans[i].Links {
				if l := &t.Spans[i].Links[j]; !l.Remote && !l.Trace.IsZero() && l.Trace != t.ID && !yield(l.Trace) {
					return
				}
			}
		}
	}
}

func (k *keeper) want(id spans.TraceID, hops int) {
	if k.traces[id] != nil {
		return
	}
	if k.full {
		k.missed++
		return
	}
	if c := k.recent.take(id); c != nil {
		k.keep(c, hops)
		return
	}
	if len(k.wanted) >= maxWanted {
		k.missed += uint64(len(k.wanted))
		clear(k.wanted)
	}
	k.wanted[id] = max(k.wanted[id], hops)
}

// offer takes a trace that is not slow by itself.
func (k *keeper) offer(id spans.TraceID, c candidate) {
	hops, asked := k.wanted[id]
	if !asked {
		k.recent.add(id, c)
		return
	}
	delete(k.wanted, id)
	if k.full {
		k.missed++
		return
	}
	k.keep(c, hops)
}

// sweep lets go of what none of the roots leads to, once there is too much.
func (k *keeper) sweep(roots func(yield func(*spans.Trace) bool)) {
	if len(k.traces) <= k.limit {
		return
	}
	kept := make(map[spans.TraceID]*spans.Trace, k.limit)
	for t := range roots {
		k.reach(t, func(t *spans.Trace) bool {
			kept[t.ID] = t
			return true
		})
	}
	k.traces = kept
	k.full = len(kept) > k.limit*3/4
}

// reach walks over a trace and all that it leads to, the nearest first, until
// visit returns false.
func (k *keeper) reach(t *spans.Trace, visit func(*spans.Trace) bool) {
	seen := map[spans.TraceID]bool{t.ID: true}
	level := []*spans.Trace{t}
	for hops := 0; len(level) > 0 && hops <= maxHops; hops++ {
		var next []*spans.Trace
		for _, t := range level {
			if !visit(t) {
				return
			}
			for id := range linked(t) {
				if o := k.traces[id]; o != nil && !seen[id] {
					seen[id] = true
					next = append(next, o)
				}
			}
		}
		level = next
	}
}

// recentTraces is a ring of candidates that can be taken out by their ids.
type recentTraces struct {
	limit int
	ring  []recentTrace
	next  int
	index map[spans.TraceID]int
}

type recentTrace struct {
	id spans.TraceID
	c  candidate // nil: taken out
}

func (r *recentTraces) add(id spans.TraceID, c candidate) {
	if len(r.ring) < r.limit {
		r.ring = append(r.ring, recentTrace{})
	}
	old := &r.ring[r.next]
	if at, ok := r.index[old.id]; ok && at == r.next && old.c != nil {
		delete(r.index, old.id)
	}
	*old = recentTrace{id, c}
	r.index[id] = r.next
	r.next = (r.next + 1) % r.limit
}

func (r *recentTraces) take(id spans.TraceID) candidate {
	at, ok := r.index[id]
	if !ok {
		return nil
	}
	delete(r.index, id)
	c := r.ring[at].c
	r.ring[at].c = nil
	return c
}
