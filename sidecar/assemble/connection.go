package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// predecessor is the request that another one waited for in the socket: the
// broker reads a connection's next request when it has done with this one.
type predecessor struct {
	request *request // until resolved
	id      spans.TraceID
	root    spans.Cause
}

// resolve turns it into values; one that is still unfinished then is let go.
func (p *predecessor) resolve() {
	if r := p.request; r != nil && r.finished {
		p.id, p.root = r.id, r.verdict.root
	}
	p.request = nil
}

// take finds the request of a response by connection and correlation id, and
// takes it out of the table. A broker answers a connection's requests in
// order: those before it have been answered too, unseen.
func (a *Assembler) take(e *event.Response) *request {
	for _, b := range a.brokers {
		conn := b.conns[e.Conn]
		i := slices.IndexFunc(conn, func(r *request) bool {
			return r.ev.CorrelationID == e.CorrelationID && r.ev.Acks != 0
		})
		if i < 0 {
			continue
		}
		r := conn[i]
		if i > 0 {
			for _, x := range slices.Clone(conn[:i]) {
				if x.ev.Acks != 0 {
					a.endWithout(x, notSeen)
				}
			}
		}
		var throttled event.Time
		if e.ThrottleMS > 0 {
			throttled = e.Start + event.Time(e.ThrottleMS)*ms
		}
		b.passOn(r, e.End, throttled)
		b.leave(r)
		return r
	}
	return nil
}

// notSeen is why a request has no response though the broker sent one.
const notSeen = "not seen"

// passOn tells the next request on a connection until when the broker could
// not read it.
func (b *broker) passOn(r *request, muted, throttled event.Time) {
	conn := b.conns[r.ev.Conn]
	i := slices.Index(conn, r) + 1
	if i == 0 || i == len(conn) {
		return
	}
	next := conn[i]
	next.muted, next.throttled = max(next.muted, muted), max(next.throttled, throttled)
	if max(muted, throttled)-next.ev.LastByte >= minHold {
		next.before = predecessor{request: r}
	}
}

// leave takes a request out of its connection.
func (b *broker) leave(r *request) {
	conn := b.conns[r.ev.Conn]
	i := slices.Index(conn, r)
	if i < 0 {
		return
	}
	b.inFlight--
	if len(conn) == 1 {
		delete(b.conns, r.ev.Conn)
		return
	}
	b.conns[r.ev.Conn] = slices.Delete(conn, i, i+1)
}

func (a *Assembler) connLost(e *event.ConnLost) {
	for _, b := range a.brokers {
		for _, r := range slices.Clone(b.conns[e.Conn]) {
			if r.ended = over(e); r.ended || r.ev.Acks != 0 { // without acks it needs no more of the connection
				r.byBroker = e.ByBroker
				a.endWithout(r, "connection "+e.Reason)
			}
		}
	}
}

// over says that the broker has done with all that it will ever read of a
// connection: it ends its side when it has, or had to.
func over(e *event.ConnLost) bool { return e.Reason == "closed" || e.Reason == "reset" }

// lose ends all that a broker has in flight.
func (a *Assembler) lose(b *broker, why string) {
	var all []*request
	for _, conn := range b.conns {
		all = append(all, conn...)
	}
	sortRequests(all)
	for _, r := range all {
		a.endWithout(r, why)
	}
}
