package assemble

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	// minHold is the shortest share of which it is told what its holder did, with
	// a trace of its own where that was no request's.
	minHold = event.Time(time.Millisecond)
	// longWait is the shortest wait of which all holders' writes are told.
	longWait = event.Time(20 * time.Millisecond)
	// maxShares bounds the holders of one wait: of more the longest, and the last.
	maxShares = 64
)

// share is the part of a wait that ended with one exit: from the exit before
// it, or from the start.
type share struct {
	start, end event.Time
	exit       *exit
	doing      doing  // what the holder did most of it; dropped when resolved
	wrote      *write // what it wrote for a lesser part of it; likewise

	to     target // set when resolved; zero: too short to follow
	also   target // to what it wrote
	cause  spans.Cause
	reason string
}

// target is where a link leads.
type target struct {
	trace spans.TraceID
	span  spans.SpanID
	kind  string
}

func (s *share) ns() event.Time { return s.end - s.start }

// released adds the share of a holder. What it did is looked up now: its thread
// forgets it.
func (w *wait) released(x *exit, holder *thread) {
	from := w.start
	if n := len(w.shares); n > 0 {
		from = w.shares[n-1].end
	}
	to := x.time
	if w.end != 0 {
		to = min(to, w.end)
	}
	if to <= from && len(w.shares) > 0 {
		return
	}
	s := share{start: from, end: max(from, to), exit: x}
	x.since = min(x.since, from)
	s.doing, s.wrote = holder.during(s.start, s.end)
	for _, x := range [...]*write{s.doing.write, s.wrote} {
		if x != nil {
			x.awaited = true
		}
	}
	if n := len(w.shares); n == maxShares {
		w.shares = mostShares(w.shares)
		w.cut += n - len(w.shares)
	}
	w.shares = append(w.shares, s)
	last := &w.shares[len(w.shares)-1]
	w.pieces = w.expect(w.pieces, last)
	if to-w.start >= longWait { // its end may come after the holder's request is finished
		last.mark()
	}
}

// mark notes of what the holder did that it will be linked to: so the request
// that it was for is worth the whole of it.
func (s *share) mark() {
	if s.wrote != nil {
		s.wrote.linked = true
	}
	switch d := &s.doing; {
	case d.write != nil:
		d.write.linked = true
	case d.fsync != nil:
		d.fsync.linked = true
	case d.wait != nil:
		d.wait.linked = true
	}
}

// linked says whether a wait will tell of what the request did, or of what it
// waited for.
func (r *request) linked() bool {
	for i := range r.parts {
		if w := r.parts[i].write; w != nil && w.linked {
			return true
		}
	}
	return slices.ContainsFunc(r.fsyncs, func(f *fsync) bool { return f.linked }) ||
		slices.ContainsFunc(r.waits, func(w *wait) bool { return w.linked })
}

// written is the trace of the holder's write; zero for none, or where that was too
// short to follow.
func (s *share) written() spans.TraceID {
	if s.to.kind == spans.LinkHolderWrite {
		return s.to.trace
	}
	return s.also.trace
}

// wroteInside says that the holder wrote, though not for most of the share: the
// lock was held for that.
func (s *share) wroteInside() bool { return s.wrote != nil && s.wrote.ev.Start >= s.start }

// mostShares keeps the longer half, in order, and the last.
func mostShares(all []share) []share {
	by := make([]int, len(all)-1)
	for i := range by {
		by[i] = i
	}
	slices.SortStableFunc(by, func(i, k int) int { return cmp.Compare(all[k].ns(), all[i].ns()) })
	by = by[:len(by)/2]
	slices.Sort(by)
	for n, i := range by {
		all[n] = all[i]
	}
	all[len(by)] = all[len(all)-1]
	clear(all[len(by)+1:])
	return all[:len(by)+1]
}

// during is what a thread did for most of the time between two instants, if that
// is at least half of it, and what it wrote for less than that.
func (t *thread) during(from, to event.Time) (most doing, wrote *write) {
	var longest, written event.Time
	for _, d := range t.doings {
		n := min(d.end, to) - max(d.start, from)
		if n > longest {
			most, longest = d, n
		}
		if d.write != nil && n > written {
			wrote, written = d.write, n
		}
	}
	if 2*longest < to-from {
		most = doing{}
	}
	if most.write == wrote {
		wrote = nil
	}
	return most, wrote
}

// main is the index of the longest share, -1 without one.
func (w *wait) main() int {
	best := -1
	for i := range w.shares {
		if best < 0 || w.shares[i].ns() > w.shares[best].ns() {
			best = i
		}
	}
	return best
}

// unexplained is what is left of the wait beyond its shares: after the last exit,
// or where there were more than are kept.
func (w *wait) unexplained() event.Time {
	rest := w.end - w.start
	for i := range w.shares {
		rest -= w.shares[i].ns()
	}
	return rest
}

// follows says whether it is told what the holder of a share did.
func (w *wait) follows(s *share) bool {
	return s.ns() >= minHold || w.end-w.start >= longWait && (s.doing.write != nil || s.wrote != nil)
}

// followed says whether there is any such share that counts for what it leads
// back to.
func (w *wait) followed() bool {
	return slices.ContainsFunc(w.shares, func(s share) bool { return s.ns() >= minHold })
}
