package capture

import "github.com/tailspan/tailspan/sidecar/kafka"

// read takes bytes of a half that are due, and zeroes what is not to be
// recorded.
func (d *Decoder) read(h *half, b []byte) {
	for len(b) > 0 {
		n := len(b)
		switch h.sync {
		case foreign:
			d.redact(b, nil)
		case lost:
			n = d.search(h, b)
			d.unsynced += uint64(n)
			d.redact(b[:n], nil)
		default:
			n = d.feed(h, b)
		}
		b = b[n:]
	}
}

// feed takes bytes from a frame boundary on, or from within a frame.
func (d *Decoder) feed(h *half, b []byte) int {
	var n int
	var err error
	d.kept.Reset()
	c := h.conn
	k := &d.kept
	if d.o.Record == nil {
		k = nil
	}
	if h == &c.in.half {
		n, err = c.in.stream.Feed(b, d.stamp, k, d.names, (*requests)(d))
	} else {
		n, err = c.out.stream.Feed(b, d.stamp, k, (*responses)(d))
	}
	d.redact(b[:n], d.kept.Ranges)
	switch {
	case err != nil && h.sync == fresh && h == &c.in.half:
		d.foreign(c, b[n:])
	case err != nil, c.in.refuted && h == &c.in.half:
		d.desync(h)
	case h == &c.out.half || c.in.named:
		h.sync = inFrame
	}
	return n
}

// redact zeroes all but the kept ranges.
func (d *Decoder) redact(b []byte, kept []kafka.Range) {
	if d.o.Record == nil {
		return
	}
	at := 0
	for _, r := range kept {
		clear(b[at:r.From])
		at = r.To
	}
	clear(b[at:])
}

// desync gives up the frame that is being read, and its boundaries.
func (d *Decoder) desync(h *half) {
	if h.sync == foreign {
		return
	}
	if h.sync != lost {
		d.desyncs++
	}
	h.sync, h.tried, h.tls = lost, 0, 0
	c := h.conn
	if h == &c.in.half {
		d.dropRequest(c)
		d.refute(c)
		return
	}
	d.tearAnswer(c)
	c.out.stream.Reset()
	c.out.missed()
}
