package assemble

import (
	"github.com/tailspan/tailspan/spans"
)

// maxHops bounds a chain of holders: who waited for one that waited itself.
const maxHops = 8

// settled says whether all that the holders did has its end.
func (w *wait) settled(a *Assembler) bool { return w.settledWithin(a, maxHops) }

func (w *wait) settledWithin(a *Assembler, hops int) bool {
	if w.calm || w.resolved || hops == 0 {
		return true
	}
	for i := range w.shares {
		s := &w.shares[i]
		if !w.follows(s) {
			continue
		}
		if !a.writeSettled(s.doing.write) || !a.writeSettled(s.wrote) {
			return false
		}
		if x := s.doing.fsync; x != nil && !(a.quietIn(x.ev.Device, x.ev.Start, x.ev.End) && x.gap.closed()) {
			return false
		}
		if x := s.doing.wait; x != nil && !(x.gap.closed() && x.settledWithin(a, hops-1)) {
			return false
		}
	}
	w.calm = true // each is looked at once, however many wait for it
	return true
}

func (a *Assembler) writeSettled(x *write) bool {
	return x == nil || a.quiet(x) && (x.part == nil || x.part.r.settledID())
}

// closed says whether the requests before and after it have ended, and with that
// have their trace ids; nil has none.
func (g *gap) closed() bool {
	if g == nil {
		return true
	}
	for r := range g.requests {
		if !r.settledID() {
			return false
		}
	}
	return true
}

// resolve turns what the holders did into ids and causes, and lets go of it.
func (w *wait) resolve(a *Assembler) { w.resolveWithin(a, maxHops) }

func (w *wait) resolveWithin(a *Assembler, hops int) {
	if w.resolved {
		return
	}
	w.divide()
	w.resolved, w.root = true, causes[w.kind()]
	for i := range w.shares {
		s := &w.shares[i]
		if w.follows(s) {
			a.follow(w, s, hops)
		}
		s.doing, s.wrote = doing{}, nil
	}
	i := w.main()
	switch {
	case i < 0:
		if c := w.b.stoppedMost(w.start, w.end); c != spans.CauseNone {
			w.root = c
		}
	case w.shares[i].cause != spans.CauseNone:
		w.root, w.reason = w.shares[i].cause, w.shares[i].reason
	}
}

// follow finds the span of what a holder did: its write, its fsync, the wait that
// it was in itself, or else the hold.
func (a *Assembler) follow(w *wait, s *share, hops int) {
	if s.wrote != nil {
		s.wrote.resolve(a)
		s.also = a.targetOfWrite(w.b, s.wrote)
	}
	switch x := s.doing; {
	case x.write != nil:
		x.write.resolve(a)
		s.to = a.targetOfWrite(w.b, x.write)
		s.cause, s.reason = x.write.cause(), x.write.cpu.why()
		if w.lock == "" || w.shares[w.main()].exit == s.exit {
			w.lock = x.write.ev.Topic + "-" + itoa(x.write.ev.Partition)
		}
	case s.ns() < minHold: // all that is told of it is what it wrote
	case x.fsync != nil:
		x.fsync.resolve(a)
		ids := a.traceOfFsync(x.fsync)
		s.to = target{ids.trace, x.fsync.spanID(ids.seed), spans.LinkHolderFsync}
		s.cause, s.reason = x.fsync.cause(), x.fsync.cpu.why()
	case x.wait != nil && hops > 0:
		a.followWait(w, s, hops)
	case s.wroteInside():
		s.to, s.also = s.also, target{}
		s.cause = w.b.stoppedMost(s.start, s.end)
	case w.park != nil: // who ended it need not have held anything
	default:
		s.to = a.targetOfHold(w.b, s.exit, nil)
		s.cause = w.b.stoppedMost(s.start, s.end)
	}
}

// followWait goes on with a holder that waited itself: for a request, or in a
// hold that is none's.
func (a *Assembler) followWait(w *wait, s *share, hops int) {
	x := s.doing.wait
	x.resolveWithin(a, hops-1)
	s.cause, s.reason = x.root, x.reason
	if w.lock == "" {
		w.lock = x.lock
	}
	if ids := x.ids(); !ids.IsZero() {
		s.to = target{ids.trace, x.spanID(ids.seed), spans.LinkHolderWait}
		return
	}
	if w.park == nil {
		s.to = a.targetOfHold(w.b, s.exit, x)
	}
}

func (a *Assembler) targetOfWrite(b *broker, x *write) target {
	ids := a.traceOfWrite(b, x)
	return target{ids.trace, x.spanID(ids.seed), spans.LinkHolderWrite}
}

func (a *Assembler) targetOfHold(b *broker, x *exit, in *wait) target {
	id := a.traceOfHold(b, x, in)
	return target{id, rootID(id, spans.NameLockHold), spans.LinkHolder}
}

// ids are those of the trace of the request that waited; zero where none is known.
func (w *wait) ids() ids {
	if !w.owner.IsZero() {
		return w.owner
	}
	if r := w.claimant(); r != nil {
		return r.ids()
	}
	return ids{}
}

// claimant is the unfinished request in whose trace the wait will stand, nil where
// none is known.
func (w *wait) claimant() *request {
	if w.gap == nil || w.ambiguous {
		return nil
	}
	for r := range w.gap.requests {
		if r.takes(w.start, w.gap) { // one at most
			return r
		}
	}
	return nil
}
