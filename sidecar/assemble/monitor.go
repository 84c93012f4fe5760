package assemble

import (
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	// exitDelay is how late an exit may be seen: HotSpot drops the lock
	// before it fires the probe (objectMonitor.cpp, ObjectMonitor::exit).
	exitDelay = event.Time(200 * time.Microsecond)
	// minHold is the shortest wait whose holders get traces of their own.
	minHold = event.Time(time.Millisecond)
	// maxExits bounds the exits of one wait, maxHops a chain of holders.
	maxExits = 256
	maxHops  = 8
)

// monitor is a contended Java monitor with those who wait for it.
type monitor struct {
	waiting []*wait // entered and, for exitDelay longer, those who got it
}

// wait is one wait of one thread for one monitor.
type wait struct {
	b          *broker
	start, end event.Time // end 0: still waiting
	thread     event.Thread
	monitor    uint64
	class      string
	gap        *gap
	park       *event.Park // not for a monitor: for a lock of java.util.concurrent
	exits      []*exit
	done       bool // its own exit was seen: later exits are others' business

	shares    []share
	calm      bool // settled
	resolved  bool
	root      spans.Cause
	reason    string // why the kernel let the root cause last; "" not known
	lock      string // the partition that its main holder wrote
	ambiguous bool
	owner     spans.TraceID // of the request that waited
}

// exit is one release of a contended monitor; the waits that it ended share it.
type exit struct {
	time    event.Time
	thread  event.Thread
	monitor uint64
	since   event.Time // the earliest share's start
	offered bool
}

// share is the part of a wait that ended with one exit.
type share struct {
	start, end event.Time
	exit       *exit
	doing      doing // what the holder did most of it; dropped when resolved

	trace spans.TraceID // set when resolved; zero: too short to follow
	span  spans.SpanID
	what  string // link kind
	cause spans.Cause

	reason string
}

func (s *share) ns() event.Time { return s.end - s.start }

func (a *Assembler) monitorEnter(e *event.MonitorEnter) {
	b := a.broker(e.PID)
	t := b.thread(e.TID)
	if t.waiting != nil { // its end was lost, or it is a virtual thread's
		a.stats.LostWaits++
		b.unwait(t.waiting)
	}
	m := b.monitors[e.Monitor]
	if m == nil {
		if len(b.monitors) >= maxMonitors {
			clear(b.monitors) // of threads that ended while they waited
		}
		m = &monitor{}
		b.monitors[e.Monitor] = m
	}
	t.waiting = &wait{b: b, start: e.Time, thread: e.Thread, monitor: e.Monitor, class: e.Class}
	m.waiting = append(m.waiting, t.waiting)
}

// unwait takes a wait from its monitor, and forgets that with the last one.
func (b *broker) unwait(w *wait) {
	m := b.monitors[w.monitor]
	if m == nil {
		return
	}
	m.waiting = slices.DeleteFunc(m.waiting, func(x *wait) bool { return x == w })
	if len(m.waiting) == 0 {
		delete(b.monitors, w.monitor)
	}
}

func (a *Assembler) monitorEntered(e *event.MonitorEntered) {
	t := a.broker(e.PID).thread(e.TID)
	w := t.waiting
	if w == nil || w.monitor != e.Monitor {
		a.stats.LostWaits++
		return
	}
	a.stats.Waits++
	t.waiting, w.end, w.gap = nil, e.Time, t.gap
	t.gap.waits = appendBounded(t.gap.waits, w)
	t.did(doing{start: w.start, end: w.end, wait: w})
	a.after(w.end+exitDelay, (*settling)(w))
}

func (a *Assembler) monitorExit(e *event.MonitorExit) {
	m := a.broker(e.PID).monitors[e.Monitor]
	if m == nil {
		return
	}
	x := &exit{time: e.Time, thread: e.Thread, monitor: e.Monitor, since: e.Time}
	for _, w := range m.waiting {
		switch {
		case w.thread.TID == e.TID:
			w.done = w.done || w.end != 0
		case !w.done && len(w.exits) < maxExits:
			w.exits = append(w.exits, x)
		}
	}
}

// settling is a wait until its last exit must have been seen.
type settling wait

func (s *settling) due(a *Assembler) {
	w := (*wait)(s)
	w.b.unwait(w)
	w.cut()
	a.after(w.end+linger, w)
}

// cut divides the wait among those who released the monitor during it, in
// order; what is left after the last release nobody explains.
func (w *wait) cut() {
	from := w.start
	for _, x := range w.exits {
		to := max(from, min(x.time, w.end))
		if to <= from && len(w.shares) > 0 {
			continue
		}
		x.since = min(x.since, from)
		s := share{start: from, end: to, exit: x}
		s.doing = w.b.thread(x.thread.TID).during(from, to)
		w.shares = append(w.shares, s)
		from = to
	}
	w.exits = nil
}

// during is what a thread did for most of the time from from to to, if that
// is at least half of it.
func (t *thread) during(from, to event.Time) (best doing) {
	var most event.Time
	for _, d := range t.doings {
		if n := min(d.end, to) - max(d.start, from); n > most {
			best, most = d, n
		}
	}
	if 2*most < to-from {
		return doing{}
	}
	return best
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

// settled says whether all that the holders did has its end.
func (w *wait) settled(a *Assembler) bool { return w.settledWithin(a, maxHops) }

func (w *wait) settledWithin(a *Assembler, hops int) bool {
	if w.calm || w.resolved || hops == 0 {
		return true
	}
	for i := range w.shares {
		s := &w.shares[i]
		if s.ns() < minHold {
			continue
		}
		if x := s.doing.write; x != nil && !(a.quiet(x) && (x.part == nil || x.part.r.closed != 0)) {
			return false
		}
		if x := s.doing.fsync; x != nil && !(a.quietIn(x.ev.Device, x.ev.Start, x.ev.End) && x.gap.closed()) {
			return false
		}
		if x := s.doing.wait; x != nil && !(x.ownersClosed() && x.settledWithin(a, hops-1)) {
			return false
		}
	}
	w.calm = true // each is looked at once, however many wait for it
	return true
}

// ownersClosed says whether the requests that a wait may belong to have ended,
// and with that have their trace ids.
func (w *wait) ownersClosed() bool {
	return w.gap.closed()
}

// closed says whether the requests before and after it have ended; nil has none.
func (g *gap) closed() bool {
	if g == nil {
		return true
	}
	for r := range g.requests {
		if r.closed == 0 {
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
	w.resolved, w.root = true, causes[w.kind()]
	for i := range w.shares {
		s := &w.shares[i]
		if s.ns() >= minHold {
			a.follow(w, s, hops)
		}
		s.doing = doing{}
	}
	if i := w.main(); i >= 0 && w.shares[i].cause != spans.CauseNone {
		w.root, w.reason = w.shares[i].cause, w.shares[i].reason
	}
}

// follow finds the span of what a holder did: its write, its fsync, the wait that
// it was in itself, or else the hold.
func (a *Assembler) follow(w *wait, s *share, hops int) {
	switch x := s.doing; {
	case x.write != nil:
		x.write.resolve(a)
		s.trace, s.what = a.traceOfWrite(w.b, x.write), spans.LinkHolderWrite
		s.span = x.write.spanID(s.trace)
		s.cause, s.reason = x.write.cause(), x.write.cpu.why()
		if w.lock == "" || w.shares[w.main()].exit == s.exit {
			w.lock = x.write.ev.Topic + "-" + itoa(x.write.ev.Partition)
		}
	case x.fsync != nil:
		x.fsync.resolve(a)
		s.trace, s.what = a.traceOfFsync(x.fsync), spans.LinkHolderFsync
		s.span = x.fsync.spanID(s.trace)
		s.cause, s.reason = x.fsync.cause(), x.fsync.cpu.why()
	case x.wait != nil && hops > 0:
		x.wait.resolveWithin(a, hops-1)
		s.cause, s.reason = x.wait.root, x.wait.reason
		if w.lock == "" {
			w.lock = x.wait.lock
		}
		s.trace, s.what = a.traceOfWait(x.wait), spans.LinkHolderWait
		s.span = x.wait.spanID(s.trace)
		if !s.trace.IsZero() {
			return
		}
		fallthrough
	default:
		if w.park != nil {
			return // who ended it need not have held anything
		}
		s.trace, s.what = a.traceOfHold(w.b, s.exit), spans.LinkHolder
		s.span = rootID(s.trace, spans.NameLockHold)
	}
}

// traceOfWait is the trace of the request that a waiting holder worked for;
// zero where none is known.
func (a *Assembler) traceOfWait(x *wait) spans.TraceID {
	if !x.owner.IsZero() {
		return x.owner
	}
	if x.gap == nil || x.ambiguous {
		return spans.TraceID{}
	}
	for r := range x.gap.requests {
		if r.takes(x.start, x.gap) { // one at most
			return r.traceID()
		}
	}
	return spans.TraceID{}
}

// due prints the wait once the request that it belongs to is finished, and
// its holders are known.
func (w *wait) due(a *Assembler) {
	ready := w.settled(a)
	for r := range w.gap.requests {
		ready = ready && r.finished
	}
	if !ready && a.now < w.end+linger+2*patience {
		a.after(a.now+linger/4, w)
		return
	}
	w.resolve(a)
	w.gap = nil
	if a.o.Rows.Waits && w.park == nil {
		a.printWait(w)
	}
}
