package page

import (
	"encoding/hex"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// Trace takes a trace that may be kept: a slow request's, which its row came
// before, or what one links to.
func (c *Collector) Trace(t assemble.Candidate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := t.Summary()
	x, ns := c.last.incident, c.last.ns
	if s.Request && !c.last.is(s.ID) {
		x, ns = c.append(&s)
	} else if !s.Request {
		x = nil
	}
	if c.o.Brief {
		return
	}
	if x == nil || !c.incidents.wants(x, ns) {
		c.keeper.offer(s.ID, t)
		return
	}
	delete(c.keeper.wanted, s.ID)
	if built := c.keeper.keep(t, maxHops); built != nil {
		c.incidents.keep(x, root{built, ns})
		c.keeper.sweep(c.roots)
	}
}

func (l *lastRequest) is(id spans.TraceID) bool {
	var b [2 * len(id)]byte
	hex.Encode(b[:], id[:])
	return string(b[:]) == l.id
}

// append takes a write of a client whose request could not be read; there is no
// row of it.
func (c *Collector) append(s *spans.Summary) (*incident, int64) {
	ns := int64(s.Latency)
	at := c.saw(s.Start, s.Start+ns)
	c.appends.add(0, ns)
	objective, slow := c.objective(s.Topic, ns)
	c.timeline.add(seriesAppends, at, ns, slow)
	if !slow {
		return nil, 0
	}
	c.slowAppends.add(ns, objective)
	key := causeKey{root: s.RootCause}
	c.causes.add(key, ns, objective, false)
	x := c.incidents.slow(s.Start, s.Start+ns)
	x.slow.add(ns, objective)
	x.appends++
	x.causes.add(key, ns, objective, false)
	x.topic(s.Topic, 1)
	return x, ns
}

// roots are the slow traces that are kept.
func (c *Collector) roots(yield func(*spans.Trace) bool) {
	for _, x := range c.incidents.list {
		for _, r := range x.roots {
			if !yield(r.trace) {
				return
			}
		}
	}
}
