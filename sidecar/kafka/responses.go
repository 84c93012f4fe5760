package kafka

import "encoding/binary"

// ResponseHandler is told of the responses of one stream, in order.
type ResponseHandler interface {
	// Response is called when a correlation id has been read, and says what
	// decodes the rest: nil passes over it.
	Response(correlationID int32) Body
	// ResponseDone is called when the frame's last byte has been seen. Where
	// err is set the fields are not to be used.
	ResponseDone(correlationID int32, b Body, err error)
	// ExpectToken says that a raw SASL token is due, which has no correlation
	// id, and whether a frame that begins with this one could be a response.
	ExpectToken(correlationID int32) (due, response bool)
	// TokenDone is called after a raw token.
	TokenDone()
}

// ResponseStream splits the bytes that a broker sends into frames. Its zero
// value stands at the start of a frame.
type ResponseStream struct {
	feed          feed
	correlationID int32
	used          Body
	inside        bool
	open          bool
	token         bool

	// First is the stamp of the piece that held the current frame's first byte.
	First int64
}

const responseFixed = 4 + 4 // length, correlation id

// Inside says that a frame has begun and not ended.
func (s *ResponseStream) Inside() bool { return s.inside }

// Reset puts the stream at the start of a frame.
func (s *ResponseStream) Reset() { *s = ResponseStream{feed: feed{carry: s.feed.carry[:0]}} }

// Feed takes the next piece. With ErrNotFrame it has taken n bytes, and what
// follows begins no frame.
func (s *ResponseStream) Feed(b []byte, at int64, k *Kept, to ResponseHandler) (n int, err error) {
	for n < len(b) || s.open && s.feed.left == 0 {
		if !s.inside {
			s.inside, s.First = true, at
		}
		if !s.open {
			m, err := s.readHeader(b[n:], k, n, to)
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

func (s *ResponseStream) done(to ResponseHandler) {
	s.inside, s.open = false, false
	if s.token {
		s.token = false
		to.TokenDone()
		return
	}
	used := s.used
	s.used = nil
	to.ResponseDone(s.correlationID, used, s.feed.end())
}

func (s *ResponseStream) readHeader(b []byte, k *Kept, base int, to ResponseHandler) (int, error) {
	src, old := b, len(s.feed.carry)
	if old > 0 {
		b = b[:min(len(b), responseFixed-old)]
		s.feed.carry = append(s.feed.carry, b...)
		src = s.feed.carry
	}
	if len(src) >= 4 {
		size := int(int32(binary.BigEndian.Uint32(src)))
		if size < 0 || size > MaxFrame {
			s.feed.carry = s.feed.carry[:0]
			return 0, ErrNotFrame
		}
		due, isResponse := to.ExpectToken(firstID(src))
		switch {
		case due && !(isResponse && size >= 4 && len(src) >= responseFixed && old == 0):
			return s.begin(nil, true, max(size-max(old-4, 0), 0), 4-old, k, base), nil
		case size < 4:
			s.feed.carry = s.feed.carry[:0]
			return 0, ErrNotFrame
		case len(src) >= responseFixed:
			s.correlationID = int32(binary.BigEndian.Uint32(src[4:]))
			return s.begin(to.Response(s.correlationID), false, size-4, responseFixed-old, k, base), nil
		}
	}
	if old == 0 {
		s.feed.carry = append(s.feed.carry, b...)
	}
	k.add(base, base+len(b))
	return len(b), nil
}

// firstID is the correlation id that src holds, 0 where it goes on in the
// next piece.
func firstID(src []byte) int32 {
	if len(src) < responseFixed {
		return 0
	}
	return int32(binary.BigEndian.Uint32(src[4:]))
}

// begin starts on the rest of a frame, of which used bytes stand in this piece.
func (s *ResponseStream) begin(b Body, token bool, left, used int, k *Kept, base int) int {
	used = max(used, 0)
	k.add(base, base+used)
	s.open, s.token, s.used = true, token, b
	if b == nil {
		s.feed.begin(nil, left)
	} else {
		s.feed.begin(b, left)
	}
	return used
}

// Lost says whether n bytes that were missed do no harm to the current frame.
// If they do, the stream is of no use until Reset.
func (s *ResponseStream) Lost(n int) bool { return s.open && s.feed.lost(n) }
