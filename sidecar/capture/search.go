package capture

import (
	"encoding/binary"
	"math"

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
				c.in.suspected = !c.in.named
			} else {
				c.out.stream.Reset()
			}
			return i
		}
	}
	h.tried += len(b)
	return len(b)
}

const (
	// firstReserved begins the correlation ids that come out of order.
	firstReserved = math.MaxInt32 - 7
	// maxSkipped bounds the requests that may have been missed in between.
	maxSkipped = 1 << 24
	// followBytes are searched for a request that follows those that were read.
	followBytes = 256 << 10
	// maxEvident is enough of a request to tell one: a header with a client id
	// of usual length, and the fields behind it.
	maxEvident = 512
	// maxOther bounds a request without records that is taken for one where
	// its end is not in sight.
	maxOther = 1 << 20
)

// requestAt weighs the evidence for a request's header at b[i:]: it must be
// evident in itself, follow those that were read, and be seconded by its end,
// by the next header there, or by the fields behind it. Where there is not
// enough of it for that, a segment that begins with it suffices, or a client
// id that is known.
func (c *conn) requestAt(b []byte, i int) bool {
	b = b[i:]
	if len(b) < 14 || b[0] > kafka.MaxFrame>>24 {
		return false
	}
	h, id, ok := kafka.Evident(b)
	if !ok {
		return c.onlyRequest(b, i)
	}
	if !c.in.follows(&h, id) {
		return false
	}
	end := int(h.Size) + 4
	switch {
	case len(b) == end:
		return true
	case len(b) > end:
		_, _, next := kafka.Evident(b[end:])
		return next || len(b) < end+maxEvident && i == 0
	case h.APIKey == kafka.KeyProduce && h.APIVersion >= kafka.ProduceOldest && h.APIVersion <= kafka.ProduceLatest && len(b) >= maxEvident:
		return kafka.EvidentProduce(b[14+len(id):], h.APIVersion)
	case h.APIKey != kafka.KeyProduce && h.Size > maxOther:
		return false
	}
	return i == 0 || c.in.named && len(id) > 0
}

// note remembers what a connection's next requests must agree with.
func (in *requestHalf) note(h *kafka.RequestHeader) {
	if in.named {
		in.mixed = in.mixed || in.clientID != h.ClientID
		in.jumpy = in.jumpy || !grows(in.lastID, h.CorrelationID)
	}
	in.clientID, in.named = h.ClientID, true
	if h.CorrelationID < firstReserved {
		in.lastID = h.CorrelationID
	}
}

// follows says whether a header may come after those that were read: a
// connection is one client's, and its correlation ids grow, unless it was seen
// to be otherwise, or nothing that follows is found for too long: what was
// read may have been none.
func (in *requestHalf) follows(h *kafka.RequestHeader, id []byte) bool {
	return !in.named || in.tried > followBytes || (in.mixed || in.clientID == string(id)) && (in.jumpy || grows(in.lastID, h.CorrelationID))
}

// grows says whether a correlation id may follow another. They wrap to 0; the
// Java client's last eight are those of its SASL exchanges, which may come at
// any time (SaslClientAuthenticator.MIN_RESERVED_CORRELATION_ID).
func grows(last, next int32) bool {
	d := uint32(next-last) & math.MaxInt32
	return next >= firstReserved || d > 0 && d < maxSkipped
}

// onlyRequest accepts a request of a client known to have an empty id, where
// it is all that its segment holds.
func (c *conn) onlyRequest(b []byte, i int) bool {
	if i > 0 || !c.in.named || c.in.clientID != "" {
		return false
	}
	size, id := binary.BigEndian.Uint32(b), binary.BigEndian.Uint16(b[12:])
	key, version := int16(binary.BigEndian.Uint16(b[4:])), int16(binary.BigEndian.Uint16(b[6:]))
	return int(size)+4 == len(b) && id == 0 && kafka.Known(key, version) &&
		(c.in.jumpy || grows(c.in.lastID, int32(binary.BigEndian.Uint32(b[8:]))))
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
