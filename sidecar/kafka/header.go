package kafka

import (
	"encoding/binary"
	"errors"
)

// RequestHeader is what begins every request: its length field and the part
// of the header that all versions share.
type RequestHeader struct {
	Size          int32 // of the frame, without the length field
	APIKey        int16
	APIVersion    int16
	CorrelationID int32
	ClientID      string
	NoClientID    bool // null, rather than empty
}

const (
	requestFixed = 4 + 2 + 2 + 4 + 2 // length, key, version, correlation id, length of the client id
	maxHeader    = requestFixed + MaxName
)

var errShort = errors.New("the header goes on in the next piece")

// scan reads a request's header from b without making a string of the client
// id, which it borrows. It fails as soon as the bytes at hand cannot
// begin a request, and says errShort while they still can.
func (h *RequestHeader) scan(b []byte) (clientID []byte, err error) {
	if len(b) >= 4 {
		h.Size = int32(binary.BigEndian.Uint32(b))
		if h.Size < requestFixed-4 || h.Size > MaxFrame {
			return nil, ErrNotFrame
		}
	}
	if len(b) >= 8 {
		h.APIKey = int16(binary.BigEndian.Uint16(b[4:]))
		h.APIVersion = int16(binary.BigEndian.Uint16(b[6:]))
		if !plausible(h.APIKey, h.APIVersion) {
			return nil, ErrNotFrame
		}
	}
	if len(b) < requestFixed {
		return nil, errShort
	}
	h.CorrelationID = int32(binary.BigEndian.Uint32(b[8:]))
	n := int(int16(binary.BigEndian.Uint16(b[12:])))
	if n < -1 || n > MaxName || n > int(h.Size)-(requestFixed-4) {
		return nil, ErrNotFrame
	}
	h.NoClientID = n == -1
	n = max(n, 0)
	if len(b) < requestFixed+n {
		return nil, errShort
	}
	return b[requestFixed : requestFixed+n], nil
}

// Evident reads a request's header at the start of b, where nothing says that
// one begins there, and accepts it only if its own bytes are evidence enough:
// a version that exists, a client id that is printable (a null one only where
// null may be). The client id is borrowed.
func Evident(b []byte) (h RequestHeader, clientID []byte, ok bool) {
	id, err := h.scan(b)
	if err != nil || !known(h.APIKey, h.APIVersion) || h.CorrelationID < 0 {
		return RequestHeader{}, nil, false
	}
	for _, c := range id {
		if c < 0x20 || c > 0x7e {
			return RequestHeader{}, nil, false
		}
	}
	if len(id) == 0 && (!h.NoClientID || h.APIVersion == 0) {
		return RequestHeader{}, nil, false
	}
	return h, id, true
}

// EvidentProduce says whether b, which follows the shared part of a Produce
// request's header, begins as such a request does.
func EvidentProduce(b []byte, version int16) bool {
	if version < ProduceOldest || version > ProduceLatest {
		return false
	}
	flexible := version >= produceFlexible
	c := cursor{b: b, limit: MaxFrame}
	if flexible && c.uvarint() != 0 {
		return false
	}
	c.name(flexible, true)
	acks, timeout := c.int16(), c.int32()
	topics := c.count(flexible, 3, MaxPartitions)
	return c.fail == fine && acks >= -1 && acks <= 1 && timeout >= 0 && topics > 0
}
