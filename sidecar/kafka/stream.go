package kafka

import "encoding/binary"

// Body decodes one frame's fields: *ProduceRequest, *ProduceAcks,
// *FetchRequest, *ProduceResponse or *MetadataResponse, after Begin.
type Body interface{ body }

// RequestHandler is told of the requests of one stream, in order.
type RequestHandler interface {
	// Request is called when a header has been read, and says what decodes
	// the rest: nil passes over it.
	Request(h *RequestHeader) Body
	// RequestDone is called when the frame's last byte has been seen. Where
	// err is set the fields are not to be used.
	RequestDone(h *RequestHeader, b Body, err error)
	// TokenDone is called after a frame of a raw stream that was no request.
	TokenDone()
}

// RequestStream splits the bytes that a client sends into frames. Its zero
// value stands at the start of a frame.
type RequestStream struct {
	feed   feed
	header RequestHeader
	used   Body
	inside bool // a frame's first byte has been seen
	open   bool // its header has been read
	token  bool // it has none

	// First is the stamp of the piece that held the current frame's first byte.
	First int64
	// Raw says that frames without headers may come: SASL tokens after a
	// SaslHandshake v0 (clients before 1.0). It ends with the first evident
	// request. A request whose header goes on in the next piece is passed over
	// as a token, by its length: to carry its beginning would be to keep, and
	// to record, bytes that may be a credential's.
	Raw bool
}

// Inside says that a frame has begun and not ended.
func (s *RequestStream) Inside() bool { return s.inside }

// Reset puts the stream at the start of a frame.
func (s *RequestStream) Reset() { *s = RequestStream{feed: feed{carry: s.feed.carry[:0]}} }

// Current is the body of the frame that is being read, if it has one.
func (s *RequestStream) Current() Body {
	if !s.open {
		return nil
	}
	return s.used
}

// Feed takes the next piece. With ErrNotFrame it has taken n bytes, and what
// follows begins no frame.
func (s *RequestStream) Feed(b []byte, at int64, k *Kept, names *Interner, to RequestHandler) (n int, err error) {
	for n < len(b) || s.open && s.feed.left == 0 {
		if !s.inside {
			s.inside, s.First = true, at
		}
		if !s.open {
			m, err := s.readHeader(b[n:], k, n, names, to)
			if err != nil {
				return n, err
			}
			n += m
			continue
		}
		n += s.feed.push(b[n:], k, n)
		if s.feed.left == 0 {
			s.done(to)
		}
	}
	return n, nil
}

func (s *RequestStream) done(to RequestHandler) {
	s.inside, s.open = false, false
	if s.token {
		s.token = false
		to.TokenDone()
		return
	}
	used := s.used
	s.used = nil
	to.RequestDone(&s.header, used, s.feed.end())
}

// readHeader reads a header from the start of b, after what was carried.
func (s *RequestStream) readHeader(b []byte, k *Kept, base int, names *Interner, to RequestHandler) (int, error) {
	src, old := b, len(s.feed.carry)
	if old > 0 {
		b = b[:min(len(b), maxHeader-old)]
		s.feed.carry = append(s.feed.carry, b...)
		src = s.feed.carry
	}
	if s.Raw {
		if _, _, ok := Evident(src); !ok {
			return s.readToken(src, old, k, base)
		}
		s.Raw = false
	}
	id, err := s.header.scan(src)
	switch err {
	case nil:
	case errShort:
		if old == 0 {
			s.feed.carry = append(s.feed.carry, b...)
		}
		k.add(base, base+len(b))
		return len(b), nil
	default:
		s.feed.carry = s.feed.carry[:0]
		return 0, err
	}
	s.header.ClientID = names.String(id)
	used := requestFixed + len(id)
	k.add(base, base+used-old)
	s.open, s.token = true, false
	s.used = to.Request(&s.header)
	s.begin(int(s.header.Size) + 4 - used)
	return used - old, nil
}

func (s *RequestStream) begin(left int) {
	if s.used == nil { // a nil Body in a nil interface
		s.feed.begin(nil, left)
		return
	}
	s.feed.begin(s.used, left)
}

// readToken reads the length field of a frame without a header.
func (s *RequestStream) readToken(src []byte, old int, k *Kept, base int) (int, error) {
	if len(src) < 4 {
		if old == 0 {
			s.feed.carry = append(s.feed.carry, src...)
		}
		k.add(base, base+len(src)-old)
		return len(src) - old, nil
	}
	size := int32(binary.BigEndian.Uint32(src))
	if size < 0 || size > MaxFrame {
		s.feed.carry = s.feed.carry[:0]
		return 0, ErrNotFrame
	}
	k.add(base, base+4-old)
	s.open, s.token, s.used = true, true, nil
	s.feed.begin(nil, int(size))
	return 4 - old, nil
}

// Lost says whether n bytes that were missed do no harm to the current frame.
// If they do, the stream is of no use until Reset.
func (s *RequestStream) Lost(n int) bool { return s.open && s.feed.lost(n) }
