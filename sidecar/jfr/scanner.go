package jfr

import (
	"fmt"
	"io"
)

const (
	// maxText is how much of a string or number is kept; the rest is read over.
	// Thread names, class names and times are shorter.
	maxText = 1 << 10
	// maxDepth bounds objects and arrays inside one another: the deepest are
	// a thread's groups and a class's loaders, some ten.
	maxDepth  = 256
	readAhead = 1 << 16 // bytes
)

// scanner reads JSON (RFC 8259) as a stream. It is sticky: after an error
// there are no more members, elements or values, and err says what it was and
// where.
type scanner struct {
	in     io.Reader
	buffer []byte
	ahead  []byte // of buffer: what was read
	next   int    // of ahead

	line  int
	depth int
	fresh bool   // an object or array has just begun
	text  []byte // of the last key, string or number
	err   error
}

func newScanner(r io.Reader) *scanner {
	return &scanner{in: r, buffer: make([]byte, readAhead), line: 1, text: make([]byte, 0, maxText)}
}

// fail remembers the first error, with its place.
func (s *scanner) fail(err error) {
	if s.err == nil {
		s.stop(fmt.Errorf("line %d: %w", s.line, err))
	}
}

// stop is an error from which on nothing is read.
func (s *scanner) stop(err error) { s.err, s.ahead, s.next = err, nil, 0 }

// wrong is an error about a byte that may not stand here.
func (s *scanner) wrong(c byte, want string) {
	if s.err == nil {
		s.fail(fmt.Errorf("%q instead of %s", c, want))
	}
}

// solid reads the first byte that is no white space, 0 after an error.
func (s *scanner) solid() byte {
	for {
		switch c := s.take(); c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			return c
		}
	}
}

// peek is the first byte of what comes next, 0 after an error.
func (s *scanner) peek() byte {
	c := s.solid()
	s.back()
	return c
}

// begin enters an object or array; false if something else comes next, which is
// skipped then.
func (s *scanner) begin(open byte) bool {
	if s.peek() != open {
		s.skip()
		return false
	}
	s.take()
	if s.depth++; s.depth > maxDepth {
		s.fail(fmt.Errorf("more than %d objects in one another", maxDepth))
	}
	s.fresh = true
	return s.err == nil
}

// more goes on to the next member or element; false at the end, which it
// reads.
func (s *scanner) more(end byte) bool {
	c := s.solid()
	fresh := s.fresh
	s.fresh = false
	switch {
	case s.err != nil:
		return false
	case c == end:
		s.depth--
		return false
	case fresh:
		s.back()
	case c != ',':
		s.wrong(c, "a comma or the end")
	}
	return s.err == nil
}

// key goes on to the next member of an object and reads its key into text;
// false at the end. The member's value has to be read, or skipped.
func (s *scanner) key() bool {
	if !s.more('}') {
		return false
	}
	if c := s.solid(); c != '"' {
		s.wrong(c, "a key")
	}
	s.str()
	if c := s.solid(); c != ':' {
		s.wrong(c, "a colon")
	}
	return s.err == nil
}

// element goes on to the next element of an array; false at the end. It has to
// be read, or skipped.
func (s *scanner) element() bool { return s.more(']') }

// isString reads a string into text; false if something else comes next, which
// is skipped then.
func (s *scanner) isString() bool {
	if s.peek() != '"' {
		s.skip()
		return false
	}
	s.take()
	s.str()
	return s.err == nil
}

// isNumber reads a number into text, as it stands there; false if something
// else comes next, which is skipped then.
func (s *scanner) isNumber() bool {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		s.skip()
		return false
	}
	s.number()
	return s.err == nil
}

// skip reads over a value.
func (s *scanner) skip() {
	switch c := s.peek(); {
	case s.err != nil:
	case c == '{':
		for s.begin('{'); s.key(); {
			s.skip()
		}
	case c == '[':
		for s.begin('['); s.element(); {
			s.skip()
		}
	case c == '"':
		s.take()
		s.str()
	case c == 't':
		s.word("true")
	case c == 'f':
		s.word("false")
	case c == 'n':
		s.word("null")
	case c == '-' || c >= '0' && c <= '9':
		s.number()
	default:
		s.wrong(c, "a value")
	}
}

func (s *scanner) word(w string) {
	for i := range len(w) {
		if c := s.take(); c != w[i] {
			s.wrong(c, w)
			return
		}
	}
}

// end reads to the end of the stream, where only white space may be left.
func (s *scanner) end() {
	for s.next < len(s.ahead) || s.read() {
		switch c := s.take(); c {
		case '\n':
			s.line++
		case ' ', '\t', '\r':
		default:
			s.wrong(c, "the end")
			return
		}
	}
}
