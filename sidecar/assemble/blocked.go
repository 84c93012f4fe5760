package assemble

import (
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// What a write, an fsync or a hold cost those who waited for it is counted where
// the chain of holders ends: of a thread that waits for one that waits for one
// that writes, the part of its wait that lies in both is the write's. Only parts
// of minHold or more count.
//
// A root is told of a wait by the exit that ends its share, so before its own
// request can have ended; and of whose the wait was when that is decided. Until
// then it is pending, and the root's trace with it.

const (
	// chainDelay is how long after a wait all exits of its holders' waits have been
	// seen: each ended at most exitDelay after the one that it held up.
	chainDelay = exitDelay * (maxHops + 2)
	// maxPieces bounds what one wait leads back to.
	maxPieces = 256
	// maxBlocked bounds the requests that are told apart of one root: each waits on
	// a thread of its own.
	maxBlocked = 4096
)

// blocked is what one root cost the requests that waited for it.
type blocked struct {
	pending  int // waits' pieces of which it is not decided whose they are
	told     bool
	requests []uint64 // their numbers, each once
	ns       event.Time
}

// piece is the part of a wait that leads back to one root.
type piece struct {
	start, end event.Time
	root       *blocked
}

// root is the count of what a share leads back to; nil: its holder waited itself.
func (s *share) root() *blocked {
	at := &s.exit.blocked
	switch d := &s.doing; {
	case d.write != nil:
		at = &d.write.blocked
	case d.fsync != nil:
		at = &d.fsync.blocked
	case d.wait != nil:
		return nil
	case s.wroteInside():
		at = &s.wrote.blocked
	}
	if *at == nil {
		*at = &blocked{}
	}
	return *at
}

// expect adds the pieces of a share, which are pending from now on.
func (w *wait) expect(all []piece, s *share) []piece {
	n := len(all)
	all = s.pieces(all, s.start, s.end, maxHops)
	for _, p := range all[n:] {
		p.root.pending++
	}
	return all
}

// pieces adds those of from..to of a share.
func (s *share) pieces(all []piece, from, to event.Time, hops int) []piece {
	from, to = max(from, s.start), min(to, s.end)
	if to-from < minHold || len(all) >= maxPieces {
		return all
	}
	if root := s.root(); root != nil {
		return append(all, piece{from, to, root})
	}
	if hops == 0 {
		return all
	}
	return s.doing.wait.within(all, from, to, hops-1)
}

// within adds the pieces of from..to of a wait.
func (w *wait) within(all []piece, from, to event.Time, hops int) []piece {
	if !w.known {
		for i := range w.shares {
			all = w.shares[i].pieces(all, from, to, hops)
		}
		return all
	}
	for _, p := range w.pieces {
		p.start, p.end = max(from, p.start), min(to, p.end)
		if p.end-p.start >= minHold && len(all) < maxPieces {
			all = append(all, p)
		}
	}
	return all
}

// divide finds the pieces once and for all: a holder's own wait may have got
// another exit since.
func (w *wait) divide() {
	if w.known {
		return
	}
	w.release()
	for i := range w.shares {
		w.pieces = w.expect(w.pieces, &w.shares[i])
	}
	w.known = true
}

// release takes back what is pending.
func (w *wait) release() {
	for _, p := range w.pieces {
		p.root.pending--
	}
	w.pieces = w.pieces[:0]
}

// dividing is a wait until its pieces are known.
type dividing wait

func (d *dividing) due(a *Assembler) {
	w := (*wait)(d)
	if w.divide(); len(w.pieces) > 0 {
		a.after(w.end+linger/2, (*charging)(w))
	}
}

// charging is a wait until it is decided whose it is.
type charging wait

func (c *charging) due(a *Assembler) {
	w := (*wait)(c)
	if !w.decided(a) && a.now < w.end+linger+patience {
		a.after(a.now+linger/4, c)
		return
	}
	if r := w.claimant(); w.number == 0 && r != nil {
		w.number = r.number
	}
	for _, p := range w.pieces {
		p.root.pending--
		if w.number != 0 {
			a.charge(p.root, w.number, p.end-p.start)
		}
	}
}

// decided says whether no other request can claim the wait any more: its gap is
// over, and so are those who wrote before and after it. The gap of a thread that
// never wrote, a network thread's, has no end: it is given a moment.
func (w *wait) decided(a *Assembler) bool {
	if w.gap == nil {
		return true
	}
	if t := w.b.threads[w.thread.TID]; t != nil && t.gap == w.gap {
		return !t.wrote && a.now >= w.end+linger
	}
	for _, x := range [...]*write{w.gap.prev, w.gap.next} {
		if x != nil && x.part == nil && a.now < x.ev.End+linger {
			return false
		}
	}
	return w.gap.closed()
}

func (a *Assembler) charge(b *blocked, request uint64, ns event.Time) {
	known := slices.Contains(b.requests, request)
	if b.told || !known && len(b.requests) >= maxBlocked {
		a.stats.BlockedCut++
		return
	}
	b.ns = min(b.ns+ns, latest)
	if !known {
		b.requests = append(b.requests, request)
	}
}

// open says that there may be more to come.
func (b *blocked) open() bool { return b != nil && b.pending > 0 }

// tell says that its trace is offered: it stays as it is.
func (b *blocked) tell() {
	if b != nil {
		b.told = true
	}
}

// attributes are the root span's; none where it blocked nobody.
func (b *blocked) attributes(attrs []attribute.KeyValue) []attribute.KeyValue {
	if b == nil || len(b.requests) == 0 {
		return attrs
	}
	return append(attrs, attribute.Int(spans.KeyBlockedRequests, len(b.requests)),
		attribute.Int64(spans.KeyBlocked, int64(b.ns)))
}

// roots are those of the request's writes and fsyncs. What became a trace of its
// own before it was known to be the request's is told there.
func (r *request) roots(fsyncs []*fsync) func(func(*blocked) bool) {
	return func(yield func(*blocked) bool) {
		for i := range r.parts {
			if w := r.parts[i].write; w != nil && !w.offered && w.blocked != nil && !yield(w.blocked) {
				return
			}
		}
		for _, f := range fsyncs {
			if f.blocked != nil && !yield(f.blocked) {
				return
			}
		}
	}
}

// tellBlocked sums up what the request cost others, each of these once.
func (r *request) tellBlocked() (all *blocked) {
	for b := range r.roots(r.fsyncs) {
		b.tell()
		if all == nil {
			all = b
			continue
		}
		all = &blocked{ns: min(all.ns+b.ns, latest), requests: slices.Concat(all.requests, b.requests)}
		slices.Sort(all.requests)
		all.requests = slices.Compact(all.requests)
	}
	return all
}
