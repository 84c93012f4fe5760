package assemble

import (
	"cmp"
	"math"
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// predecessor is the request that another one waited for in the socket: the
// broker reads a connection's next request when it has done with this one.
type predecessor struct {
	request *request // until resolved
	ids     ids
	root    spans.Cause
	reason  string
}

// resolve turns it into values, if it is finished.
func (p *predecessor) resolve() {
	if r := p.request; r != nil && r.finished {
		p.ids, p.root, p.reason = r.ids(), r.verdict.root, r.verdict.reason
	}
}

// connection is the requests that are in flight on one connection, in order of
// arrival.
type connection struct{ requests []*request }

// connection finds or makes one. Without a request it stays until it is lost,
// or the next sweep.
func (a *Assembler) connection(id event.Conn) *connection {
	c := a.conns[id]
	if c == nil {
		c = &connection{}
		a.conns[id] = c
	}
	return c
}

// take finds the request of a response by connection and correlation id, and
// takes it out of the table. A broker answers a connection's requests in
// order: those before it have been answered too, unseen.
func (a *Assembler) take(e *event.Response) *request {
	c := a.conns[e.Conn]
	if c == nil {
		return nil
	}
	i := slices.IndexFunc(c.requests, func(r *request) bool {
		return r.ev.CorrelationID == e.CorrelationID && r.ev.Acks != 0
	})
	if i < 0 {
		return nil
	}
	r := c.requests[i]
	if i > 0 {
		for _, x := range slices.Clone(c.requests[:i]) {
			if x.ev.Acks != 0 {
				a.endWithout(x, notSeen)
			}
		}
	}
	var throttled event.Time
	if e.ThrottleMS > 0 {
		throttled = e.Start + event.Time(e.ThrottleMS)*ms
	}
	r.passOn(e.End, throttled)
	r.leave()
	return r
}

// notSeen is why a request has no response though the broker sent one.
const notSeen = "not seen"

// passOn tells the next request on a connection until when the broker could
// not read it.
func (r *request) passOn(muted, throttled event.Time) {
	if r.conn == nil {
		return
	}
	all := r.conn.requests
	i := slices.Index(all, r) + 1
	if i == len(all) {
		return
	}
	next := all[i]
	next.muted, next.throttled = max(next.muted, muted), max(next.throttled, throttled)
	if max(muted, throttled)-next.ev.LastByte >= minHold {
		next.before = predecessor{request: r}
	}
}

// leave takes a request out of its connection.
func (r *request) leave() {
	c := r.conn
	if c == nil {
		return
	}
	c.requests = without(c.requests, r)
	r.conn = nil
	r.b.inFlight--
	r.b.parts -= len(r.parts)
}

func (a *Assembler) connLost(e *event.ConnLost) {
	c := a.conns[e.Conn]
	if c == nil {
		return
	}
	for _, r := range slices.Clone(c.requests) {
		if r.ended = over(e); r.ended || r.ev.Acks != 0 { // without acks it needs no more of the connection
			r.byBroker = e.ByBroker
			a.endWithout(r, "connection "+e.Reason)
		}
	}
	if len(c.requests) == 0 {
		delete(a.conns, e.Conn)
	}
}

// over says that the broker has done with all that it will ever read of a
// connection: it ends its side when it has, or had to.
func over(e *event.ConnLost) bool { return e.Reason == "closed" || e.Reason == "reset" }

// lose ends all that a broker has in flight.
func (a *Assembler) lose(b *broker, why string) {
	for _, r := range a.expiring(b, math.MaxInt64) {
		a.endWithout(r, why)
	}
}

// expiring lists the requests of a broker that expire by an instant, in order.
// Connections that nothing is in flight on are let go.
func (a *Assembler) expiring(b *broker, until event.Time) (all []*request) {
	for id, c := range a.conns {
		if len(c.requests) == 0 {
			delete(a.conns, id)
		}
		for _, r := range c.requests {
			if r.b == b && until >= r.ev.LastByte+r.expiry() {
				all = append(all, r)
			}
		}
	}
	sortRequests(all)
	return all
}

func sortRequests(all []*request) {
	slices.SortStableFunc(all, func(x, y *request) int {
		return cmp.Or(cmp.Compare(x.ev.LastByte, y.ev.LastByte), cmp.Compare(x.ev.Conn, y.ev.Conn),
			cmp.Compare(x.ev.CorrelationID, y.ev.CorrelationID))
	})
}
