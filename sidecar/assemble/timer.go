package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// timed is something that has to be looked at again at some event time.
type timed interface{ due(a *Assembler) }

// timers holds what is due, the earliest first; ties go by order of entry, so
// that a replay does the same in the same order.
type timers struct {
	order event.Order[timer] // most wait equally long: they come in order
	seq   uint64
}

type timer struct {
	at  event.Time
	seq uint64
	d   timed
}

func (t timer) Less(u timer) bool { return t.at < u.at || t.at == u.at && t.seq < u.seq }

// after has d looked at when event time has passed t.
func (a *Assembler) after(t event.Time, d timed) {
	a.timers.seq++
	a.timers.order.Push(timer{t, a.timers.seq, d})
}

// fire does all that is due at or before t.
func (a *Assembler) fire(t event.Time) {
	for a.timers.order.Len() > 0 && a.timers.order.Top().at <= t {
		x := a.timers.order.Pop()
		a.now = max(a.now, x.at)
		x.d.due(a)
	}
}
