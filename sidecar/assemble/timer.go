package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// timed is something that has to be looked at again at some event time.
type timed interface{ due(a *Assembler) }

// timers holds what is due, the earliest first; ties go by order of entry, so
// that a replay does the same in the same order.
type timers struct {
	order event.Order[timer] // most wait equally long: they come in order
	soon  event.Order[timer] // those that wait no longer than brief, likewise
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
	to := &a.timers.order
	if t-a.now <= brief {
		to = &a.timers.soon
	}
	to.Push(timer{t, a.timers.seq, d})
}

// next is the order that has the earliest timer; nil without any.
func (t *timers) next() *event.Order[timer] {
	switch {
	case t.order.Len() == 0 && t.soon.Len() == 0:
		return nil
	case t.order.Len() == 0, t.soon.Len() > 0 && t.soon.Top().Less(t.order.Top()):
		return &t.soon
	}
	return &t.order
}

// fire does all that is due at or before t.
func (a *Assembler) fire(t event.Time) {
	for o := a.timers.next(); o != nil && o.Top().at <= t; o = a.timers.next() {
		x := o.Pop()
		a.now = max(a.now, x.at)
		x.d.due(a)
	}
}
