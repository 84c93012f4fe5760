package capture

import (
	"encoding/binary"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// search looks for a frame boundary in bytes of a half that has none, and
// returns how many bytes lie before it; all of them where there is none.
//
// Only bytes that are kept in recordings once the boundary is found may be
// evidence, so that a replay finds the same one.
func (d *Decoder) search(h *half, b []byte) int {
	c := h.conn
	request := h == &c.in.half
	if request && d.looksTLS(h, b) {
		return len(b)
	}
	last := len(b)
	if h.tried > searchBytes {
		last = min(1, len(b))
	}
	for i := range last {
		if request && c.requestAt(b, i) || !request && c.responseAt(b, i) {
			d.resyncs++
			h.sync, h.tried = inFrame, 0
			if request {
				c.in.stream.Reset()
			} else {
				c.out.stream.Reset()
			}
			return i
		}
	}
	h.tried += len(b)
	return len(b)
}

// requestAt weighs the evidence for a request's header at b[i:]. A header
// that is evident in itself suffices where a segment begins; elsewhere
// something must second it.
func (c *conn) requestAt(b []byte, i int) bool {
	b = b[i:]
	if len(b) < 14 || b[0] > kafka.MaxFrame>>24 {
		return false
	}
	h, id, ok := kafka.Evident(b)
	if !ok {
		return c.onlyRequest(b, i)
	}
	end := int(h.Size) + 4
	switch {
	case i == 0, len(b) == end, c.in.named && len(id) > 0 && c.in.clientID == string(id):
		return true
	case len(b) > end:
		_, _, next := kafka.Evident(b[end:])
		return next
	}
	return h.APIKey == kafka.KeyProduce && kafka.EvidentProduce(b[14+len(id):], h.APIVersion)
}

// onlyRequest accepts a request of a client known to have an empty id, where
// it is all that its segment holds.
func (c *conn) onlyRequest(b []byte, i int) bool {
	if i > 0 || !c.in.named || c.in.clientID != "" {
		return false
	}
	size, id := binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[12:])
	key, version := int16(binary.BigEndian.Uint16(b[4:])), int16(binary.BigEndian.Uint16(b[6:]))
	return int(size)+4 == len(b) && id == 0 && kafka.Known(key, version)
}

// responseAt weighs the evidence for a response at b[i:]: the correlation id
// of a request that waits, where a segment begins, or a frame that ends where
// the segment or another such frame does.
func (c *conn) responseAt(b []byte, i int) bool {
	size, ok := c.answerAt(b[i:])
	if !ok {
		return false
	}
	end := i + size + 4
	if i == 0 || end == len(b) {
		return true
	}
	if end > len(b) {
		return false
	}
	_, ok = c.answerAt(b[end:])
	return ok
}

// answerAt is the size of a frame whose correlation id is waited for.
func (c *conn) answerAt(b []byte) (size int, ok bool) {
	if len(b) < 8 || b[0] > kafka.MaxFrame>>24 {
		return 0, false
	}
	size = int(binary.BigEndian.Uint32(b))
	if size < 4 || size > kafka.MaxFrame {
		return 0, false
	}
	return size, c.out.answers.find(int32(binary.BigEndian.Uint32(b[4:]))) >= 0
}
