package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// watch is when the monitors of a broker were not watched.
type watch struct {
	off  event.Time // since when they are not; 0: they are
	past ring[interval]
}

// unwatchedKept is how many such times of a broker are remembered.
const unwatchedKept = 128

// monitorsWatched also lets go of the waits of that moment: their ends, or their
// beginnings, are not seen.
func (a *Assembler) monitorsWatched(e *event.MonitorsWatched) {
	b := a.broker(e.PID)
	switch w := &b.watch; {
	case !e.On && w.off == 0:
		w.off = max(e.Time, 1)
	case e.On && w.off != 0:
		w.past.add(interval{w.off, e.Time}, unwatchedKept)
		w.off = 0
	}
	for _, t := range b.threads {
		if t.waiting != nil {
			a.loseWait(t)
		}
	}
	clear(b.monitors)
}

// unwatchedIn says whether they were not, at any time between two instants.
func (b *broker) unwatchedIn(from, to event.Time) bool {
	if b.watch.off != 0 && b.watch.off < to {
		return true
	}
	for p := range b.watch.past.latest {
		if p.start < to && p.end > from {
			return true
		}
	}
	return false
}
