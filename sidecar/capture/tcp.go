package capture

import "time"

// accept takes a segment of a connection into its half of the stream.
func (d *Decoder) accept(c *conn, request bool, p Packet) {
	s := &d.seg
	d.stamp = p.Unix
	if s.has(flagSYN) {
		if c = d.acceptSYN(c, request, p.Unix); c == nil {
			d.duplicates++
			return
		}
		s.seq++
	}
	if c.list == &d.closed {
		if s.length() > 0 {
			d.duplicates++
		}
		return
	}
	c.seen = p.Unix
	c.list.touch(c)
	switch {
	case s.has(flagRST):
		d.record(p, s)
		c.byBroker = c.byBroker || !request // a broker that closes before it has read all sends one
		d.end(c, reasonReset)
	case c.in.sync == foreign && !s.has(flagFIN):
	case s.length() == 0 && !s.has(flagFIN):
		d.record(p, s)
	default:
		d.order(c.half(request), s, p)
	}
}

// acceptSYN starts a half; in a new connection where the addresses are used
// again. It returns nil for a SYN that was seen before.
func (d *Decoder) acceptSYN(c *conn, request bool, at int64) *conn {
	s, h := &d.seg, c.half(request)
	if c.list == &d.open && h.begun && h.first == s.seq {
		if s.length() == 0 {
			return nil
		}
		return c // what it carries is seen to be old, or was not there before
	}
	if c.list == &d.open && h.known && !h.begun && h.next-s.seq < maxEarly {
		h.begun, h.first = true, s.seq
		return c // segments came before the SYN did
	}
	if c.list == &d.closed || h.known {
		d.forget(c, reasonClosed)
		if c, _ = d.newConn(d.listeners.Load(), s, at); c == nil {
			return nil
		}
		d.cur = c
	}
	c.half(request).begin(s.seq + 1)
	if !request && !c.in.known {
		c.in.begin(s.ack)
	}
	return c
}

// order puts a segment in its place: consumes, trims, holds or drops it.
func (d *Decoder) order(h *half, s *segment, p Packet) {
	if !h.known {
		h.known, h.next, h.sync = true, s.seq, lost
	}
	ahead := int(int32(s.seq - h.next))
	end := ahead + s.length()
	switch {
	case ahead < -maxBehind:
		d.dropHeld(h)
		d.jump(h, s.seq, false)
	case ahead == 0:
	case end < 0 || end == 0 && !s.has(flagFIN), h.fin:
		d.duplicates++
		return
	case ahead < 0:
	case end > maxAhead:
		d.jumpHoles(h)
		if s.seq != h.next {
			d.order(h, s, p)
			return
		}
	default:
		d.hold(h, s, p, end)
		return
	}
	d.consume(h, s, p)
	if len(h.held) > 0 {
		d.drain(h)
	}
}

// jumpHoles gives up the holes of a half, for a segment lies too far ahead.
func (d *Decoder) jumpHoles(h *half) {
	if len(h.held) == 0 {
		d.jump(h, d.seg.seq, true)
		return
	}
	for len(h.held) > 0 {
		d.jump(h, h.held[0].seg.seq, true)
		d.drain(h)
	}
}

// jump goes on at another sequence number, forward over bytes that were
// missed, or back in another stream.
func (d *Decoder) jump(h *half, seq uint32, forward bool) {
	missed := int(seq - h.next)
	h.next = seq
	d.gaps++
	if forward {
		d.missed += uint64(missed)
	}
	if !forward || !d.spare(h, missed) {
		d.desync(h)
	}
	if c := h.conn; h == &c.out.half {
		c.out.missed()
	}
}

// consume takes the due segment, of which the beginning may be old.
func (d *Decoder) consume(h *half, s *segment, p Packet) {
	d.cur = h.conn
	d.stamp = p.Unix
	if back := h.last - p.Unix; back > 0 && back < int64(clockStep/time.Nanosecond) {
		d.stamp = h.last
	}
	h.last = d.stamp
	old := min(int(h.next-s.seq), s.end-s.start) // seen before
	if b := p.Data[s.start+old : s.end]; len(b) > 0 {
		d.read(h, b)
	}
	h.next = s.seq + uint32(s.length())
	if s.missing > 0 {
		d.cut++
		d.missed += uint64(s.missing)
		if d.spare(h, s.missing) {
			d.feed(h, nil) // a frame may end in what was cut off
		} else {
			d.desync(h)
		}
	}
	if d.o.Record != nil && h.sync != foreign {
		clear(p.Data[s.start : s.start+old])
		d.record(p, s)
	}
	if s.has(flagFIN) {
		h.next++
		h.fin = true
		d.finish(h)
	}
}

// record hands a packet on whose payload has been redacted. What follows the
// payload is padding, which may hold anything.
func (d *Decoder) record(p Packet, s *segment) {
	if d.o.Record == nil {
		return
	}
	clear(p.Data[s.end:])
	d.o.Record(p)
}

// spare says whether n bytes of a half can be done without.
func (d *Decoder) spare(h *half, n int) bool {
	switch {
	case h.sync != inFrame:
		return h.sync == foreign
	case h == &h.conn.in.half:
		return h.conn.in.stream.Lost(n)
	}
	return h.conn.out.stream.Lost(n)
}
