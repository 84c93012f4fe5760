package capture

import "time"

// advance moves the decoder's time to a stamp and sweeps when it has passed a
// multiple of sweepEvery.
func (d *Decoder) advance(unix int64) {
	const step = int64(sweepEvery)
	switch {
	case unix > d.now:
		d.now = unix
	case d.now-unix > int64(clockStep):
		d.now, d.sweepAt = unix, 0
	}
	if d.now < d.sweepAt {
		return
	}
	at := d.now - d.now%step
	if d.sweepAt > 0 {
		d.sweep(at)
	}
	d.sweepAt = at + step
}

// sweep lets expire what was due at an instant.
func (d *Decoder) sweep(at int64) {
	d.sweepHoles(at - int64(d.o.Bounds.HoleTimeout))
	if whole := at - at%int64(time.Second); whole != d.answersAt {
		d.answersAt = whole
		d.sweepAnswers(whole)
	}
	d.sweepIdle(&d.open, at-int64(d.o.Bounds.IdleTimeout))
	d.sweepIdle(&d.closed, at-int64(closedFor))
}

// sweepHoles gives up the holes that opened by an instant.
func (d *Decoder) sweepHoles(by int64) {
	for i := 0; i < len(d.holes); {
		h := d.holes[i]
		for len(h.held) > 0 && h.holeSince() <= by {
			d.closeHole(h)
		}
		if i < len(d.holes) && d.holes[i] == h {
			i++
		}
	}
}

// closeHole goes on behind a hole.
func (d *Decoder) closeHole(h *half) {
	c := h.conn
	defer d.survive(c)
	d.cur, d.stamp = c, h.holeSince()+int64(d.o.Bounds.HoleTimeout)
	d.jump(h, h.held[0].seg.seq, true)
	d.drain(h)
}

// sweepAnswers gives up the responses that did not come in time.
func (d *Decoder) sweepAnswers(at int64) {
	by := at - int64(d.o.Bounds.RequestTimeout)
	for c := d.open.first; c != nil; c = c.next {
		q := &c.out.answers
		for q.len() > 0 && q.front().maybe && q.front().at <= by {
			q.pop()
		}
		if q.len() > 0 && q.front().at <= by {
			d.dropAnswersAt(c, reasonExpired, q.front().at+int64(d.o.Bounds.RequestTimeout))
		}
	}
}

// sweepIdle forgets the connections that were silent since an instant.
func (d *Decoder) sweepIdle(l *connList, by int64) {
	for c := l.first; c != nil && c.seen <= by; c = l.first {
		d.forget(c, reasonExpired)
	}
}

// finish looks at what the end of a half means: after the broker's no
// response comes, after both the connection is over.
func (d *Decoder) finish(h *half) {
	c := h.conn
	if h == &c.in.half && c.in.suspected && !c.in.stream.Inside() {
		d.confirm(c)
	}
	if c.out.fin {
		c.byBroker = c.byBroker || !c.in.fin
		d.tellEnd(c, reasonClosed, d.stamp)
	}
	if c.in.fin && c.out.fin {
		d.end(c, reasonClosed)
	}
}

// end closes a connection; it is remembered for a while, for segments that
// come late.
func (d *Decoder) end(c *conn, reason string) {
	d.stop(c, reason)
	d.open.remove(c)
	d.closed.push(c)
}

// forget removes a connection.
func (d *Decoder) forget(c *conn, reason string) {
	if c.list == nil {
		return
	}
	d.stop(c, reason)
	c.list.remove(c)
	delete(d.conns, c.key)
}

// stop gives up everything that a connection holds.
func (d *Decoder) stop(c *conn, reason string) {
	d.dropRequest(c)
	d.refute(c)
	d.tellEnd(c, reason, max(c.seen, c.in.last, c.out.last))
	d.dropHeld(&c.in.half)
	d.dropHeld(&c.out.half)
}
