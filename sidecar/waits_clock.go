package sidecar

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// A thread that waits for a monitor writes nothing. So a wait that overlaps a
// write of its own thread shows that JFR's clock and the recording's still
// differ: the fewer, the better the waits can be joined.

// writesKept is how many of a thread's latest writes a wait is held against: of
// more than the time between two marks.
const (
	writesKept = 256
	maxWriting = 1 << 10 // threads
	// blur is what a wait may overlap a write by: clocks are aligned to some 10 µs,
	// and threads write 3 µs after a wait.
	blur = event.Time(20 * time.Microsecond)
)

// writing are the latest writes of each thread.
type writing map[int32]*latest

type latest struct {
	writes [writesKept]struct{ start, end event.Time }
	next   int
}

// note takes a write; a full table is begun anew.
func (w writing) note(e *event.Write) {
	of := w[e.TID]
	if of == nil {
		if len(w) >= maxWriting {
			clear(w)
		}
		of = &latest{}
		w[e.TID] = of
	}
	x := &of.writes[of.next%writesKept]
	x.start, x.end = e.Start, e.End
	of.next++
}

// overlap says whether the thread wrote in between, for longer than may be.
func (w writing) overlap(tid int32, start, end event.Time) bool {
	of := w[tid]
	if of == nil {
		return false
	}
	for _, x := range of.writes {
		if min(x.end, end)-max(x.start, start) > blur {
			return true
		}
	}
	return false
}

// watch notes what goes by.
func (w *waits) watch(push func(event.Source, event.Event)) func(event.Source, event.Event) {
	w.writing = writing{}
	return func(s event.Source, e event.Event) {
		if write, ok := e.(*event.Write); ok && write.PID == w.pid {
			w.writing.note(write)
		}
		push(s, e)
	}
}
