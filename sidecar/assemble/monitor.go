package assemble

import (
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// exitDelay is how late an exit may be seen: HotSpot drops the lock before it
// fires the probe (objectMonitor.cpp, ObjectMonitor::exit).
const exitDelay = event.Time(200 * time.Microsecond)

// lateExit is how late it may be where the thread had lost its CPU meanwhile, which
// those it wakes may take from it: a wait without any exit is then given that of a
// thread that did nothing since, inferred.
const lateExit = event.Time(20 * time.Millisecond)

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
	source     event.WaitSource
	gap        *gap
	park       *event.Park // not for a monitor: for a lock of java.util.concurrent
	done       bool        // its own exit was seen: later exits are others' business
	late       bool        // no exit was seen in time

	shares []share // of those who released it meanwhile, in order
	cut    int     // how many more there were
	pieces []piece // of the shares, by what they lead back to
	known  bool    // the pieces will not change

	calm      bool // settled
	resolved  bool
	root      spans.Cause
	reason    string // why the kernel let the root cause last; "" not known
	lock      string // the partition that its main holder wrote
	ambiguous bool
	linked    bool   // another wait will tell of it
	owner     ids    // of the request that waited
	number    uint64 // of that request; 0: none, or not yet
}

// exit is one release of a contended monitor; the waits that it ended share it.
type exit struct {
	time    event.Time
	thread  event.Thread
	monitor uint64
	since   event.Time // the earliest share's start
	offered bool
	blocked *blocked // nil: not looked at
}

func (a *Assembler) monitorEnter(e *event.MonitorEnter) {
	b := a.broker(e.PID)
	if b.watch.off != 0 { // of those that were seen until the probes were gone the end may not be
		return
	}
	t := b.thread(e.TID)
	if t.waiting != nil { // its end was lost, or it is a virtual thread's
		b.unwait(t.waiting)
		a.loseWait(t)
	}
	m := b.monitors[e.Monitor]
	if m == nil {
		if len(b.monitors) >= maxMonitors {
			clear(b.monitors) // of threads that ended while they waited
		}
		m = &monitor{}
		b.monitors[e.Monitor] = m
	}
	t.waiting = &wait{b: b, start: e.Time, thread: e.Thread, monitor: e.Monitor, class: e.Class, source: e.Source}
	m.waiting = append(m.waiting, t.waiting)
}

// loseWait lets go of a wait whose end will not be seen.
func (a *Assembler) loseWait(t *thread) {
	a.stats.LostWaits++
	t.waiting.release()
	t.waiting = nil
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
	b := a.broker(e.PID)
	t := b.thread(e.TID)
	w := t.waiting
	if w == nil || w.monitor != e.Monitor {
		if b.watch.off == 0 {
			a.stats.LostWaits++
		}
		return
	}
	a.stats.Waits++
	w.end = e.Time
	t.waiting = nil
	a.waited(t, w)
}

// waited puts a wait that has ended among its thread's doings.
func (a *Assembler) waited(t *thread, w *wait) {
	if a.o.Measures != nil {
		a.o.Measures.MeasureWait(w.b.id.Node, w.park != nil, time.Duration(w.end-w.start))
	}
	w.gap = t.gap
	t.gap.waits = appendBounded(t.gap.waits, w)
	t.did(doing{start: w.start, end: w.end, wait: w})
	a.after(w.end+exitDelay, (*settling)(w))
}

func (a *Assembler) monitorExit(e *event.MonitorExit) {
	b := a.broker(e.PID)
	m := b.monitors[e.Monitor]
	if m == nil {
		return
	}
	x := &exit{time: e.Time, thread: e.Thread, monitor: e.Monitor, since: e.Time}
	holder := b.thread(e.TID)
	for _, w := range m.waiting {
		switch {
		case w.thread.TID == e.TID:
			w.done = w.done || w.end != 0
		case w.done || w.resolved, w.late && (len(w.shares) > 0 || !holder.idleSince(w.end)):
		default:
			w.released(x, holder)
		}
	}
}

// idleSince says that a thread neither wrote nor waited after an instant.
func (t *thread) idleSince(at event.Time) bool {
	return !slices.ContainsFunc(t.doings[:], func(d doing) bool { return d.end > at })
}

// mayBeLate says that an exit may yet come: none was seen, though they are.
func (w *wait) mayBeLate() bool {
	probed := w.source == event.SourceUSDT || w.source == event.SourceFunction
	return probed && len(w.shares) == 0 && !w.late && !w.done && w.end-w.start >= minHold
}

// sure says how sure it is who held the monitor.
func (w *wait) sure() join {
	switch {
	case len(w.shares) == 0:
		return joinNone
	case w.late, w.source == event.SourceJFR:
		return joinInferred
	}
	return joinExact
}

// settling is a wait until its last exit must have been seen.
type settling wait

func (s *settling) due(a *Assembler) {
	w := (*wait)(s)
	if w.mayBeLate() {
		w.late = true
		a.after(w.end+lateExit, s)
		return
	}
	a.stats.SharesCut += uint64(w.cut)
	for i := range w.shares {
		if s := &w.shares[i]; w.follows(s) {
			s.mark()
		}
	}
	w.b.unwait(w)
	if w.followed() {
		a.after(a.now+chainDelay, (*dividing)(w))
	}
	a.after(w.end+linger, w)
}

// due prints the wait once the request that it belongs to is finished, and
// its holders are known.
func (w *wait) due(a *Assembler) {
	ready := w.settled(a) && (w.decided(a) || a.now >= w.end+linger+patience)
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
