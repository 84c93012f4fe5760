package capture

import "slices"

// held is a packet that waits behind a hole, in a copy of its own.
type held struct {
	seg    segment
	packet Packet
}

// hold keeps a segment for later, or drops it as if it had not been captured.
func (d *Decoder) hold(h *half, s *segment, p Packet, end int) {
	d.outOfOrder++
	at := 0
	for at < len(h.held) && int32(h.held[at].seg.seq-s.seq) < 0 {
		at++
	}
	if covered(h.held, at, s) {
		d.duplicates++
		return
	}
	if len(h.held) >= maxHeld || d.heldNow+len(p.Data) > d.o.Bounds.HeldBytes {
		d.heldOver++
		return
	}
	if len(h.held) == 0 {
		d.holes = append(d.holes, h)
	}
	p.Data = append(d.buffer(), p.Data...)
	d.heldNow += len(p.Data)
	h.held = slices.Insert(h.held, at, held{*s, p})
}

// covered says that a segment adds nothing to the one before its place or the
// one at it.
func covered(list []held, at int, s *segment) bool {
	for i := max(at-1, 0); i <= at && i < len(list); i++ {
		o := &list[i].seg
		from := int32(s.seq - o.seq)
		if from >= 0 && int(from)+s.length() <= o.length() && (!s.has(flagFIN) || o.has(flagFIN)) {
			return true
		}
	}
	return false
}

// buffer is an empty one from the pool.
func (d *Decoder) buffer() []byte {
	if n := len(d.buffers); n > 0 {
		b := d.buffers[n-1]
		d.buffers = d.buffers[:n-1]
		return b
	}
	return nil
}

// drain consumes what the hole no longer holds back.
func (d *Decoder) drain(h *half) {
	for len(h.held) > 0 {
		x := h.held[0]
		ahead := int32(x.seg.seq - h.next)
		if ahead > 0 {
			return
		}
		h.held = slices.Delete(h.held, 0, 1)
		d.heldNow -= len(x.packet.Data)
		if end := int(ahead) + x.seg.length(); h.fin || end < 0 || end == 0 && !x.seg.has(flagFIN) {
			d.duplicates++
		} else {
			d.consume(h, &x.seg, x.packet)
		}
		d.release(x.packet.Data)
	}
	d.filled(h)
}

// release puts a buffer back.
func (d *Decoder) release(b []byte) {
	if len(d.buffers) < maxPooled {
		d.buffers = append(d.buffers, b[:0])
	}
}

// filled takes a half off the list of those with holes.
func (d *Decoder) filled(h *half) {
	if i := slices.Index(d.holes, h); i >= 0 {
		d.holes = slices.Delete(d.holes, i, i+1)
	}
}

// dropHeld forgets what waits.
func (d *Decoder) dropHeld(h *half) {
	if len(h.held) == 0 {
		return
	}
	for _, x := range h.held {
		d.heldOver++
		d.heldNow -= len(x.packet.Data)
		d.release(x.packet.Data)
	}
	h.held = nil
	d.filled(h)
}

// holeSince is the stamp of the earliest packet that waits.
func (h *half) holeSince() int64 {
	since := h.held[0].packet.Unix
	for _, x := range h.held[1:] {
		since = min(since, x.packet.Unix)
	}
	return since
}
