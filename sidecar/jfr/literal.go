package jfr

import (
	"unicode/utf16"
	"unicode/utf8"
)

// str reads the rest of a string into text, behind its first quote.
func (s *scanner) str() {
	s.text = s.text[:0]
	for s.err == nil {
		switch c := s.take(); {
		case s.err != nil:
		case c == '"':
			return
		case c == '\\':
			s.escape()
		case c < ' ':
			s.wrong(c, "a character")
		default:
			s.keep(c)
		}
	}
}

// keep adds a byte to text, as long as there is room for it.
func (s *scanner) keep(c byte) {
	if len(s.text) < maxText {
		s.text = append(s.text, c)
	}
}

func (s *scanner) keepRune(r rune) {
	if len(s.text)+utf8.UTFMax <= maxText {
		s.text = utf8.AppendRune(s.text, r)
	}
}

// escape reads what follows a backslash.
func (s *scanner) escape() {
	switch c := s.take(); c {
	case '"', '\\', '/':
		s.keep(c)
	case 'b':
		s.keep('\b')
	case 'f':
		s.keep('\f')
	case 'n':
		s.keep('\n')
	case 'r':
		s.keep('\r')
	case 't':
		s.keep('\t')
	case 'u':
		s.escapedRunes()
	default:
		s.wrong(c, "an escape")
	}
}

// escapedRunes reads what follows \u, and the other half of a surrogate pair. A
// half without the other is U+FFFD, as encoding/json has it.
func (s *scanner) escapedRunes() {
	r := s.hex()
	for s.err == nil && utf16.IsSurrogate(r) {
		if s.take() != '\\' {
			s.back()
			r = utf8.RuneError
			break
		}
		if s.take() != 'u' {
			s.back()
			s.keepRune(utf8.RuneError)
			s.escape()
			return
		}
		low := s.hex()
		if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
			r = pair
			break
		}
		s.keepRune(utf8.RuneError)
		r = low
	}
	s.keepRune(r)
}

// hex reads four hexadecimal digits.
func (s *scanner) hex() (r rune) {
	for range 4 {
		c := s.take()
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			s.wrong(c, "a hexadecimal digit")
			return 0
		}
		r = r<<4 | rune(c)
	}
	return r
}

// number reads a number into text.
func (s *scanner) number() {
	s.text = s.text[:0]
	c := s.take()
	if c == '-' {
		s.keep(c)
		c = s.take()
	}
	if c == '0' {
		s.keep(c)
		c = s.take()
	} else {
		c = s.digits(c)
	}
	if c == '.' {
		s.keep(c)
		c = s.digits(s.take())
	}
	if c == 'e' || c == 'E' {
		s.keep(c)
		if c = s.take(); c == '+' || c == '-' {
			s.keep(c)
			c = s.take()
		}
		s.digits(c)
	}
	s.back()
}

// digits reads one digit, which c is, or more; it returns what follows them.
func (s *scanner) digits(c byte) byte {
	if c < '0' || c > '9' {
		s.wrong(c, "a digit")
		return 0
	}
	for c >= '0' && c <= '9' {
		s.keep(c)
		c = s.take()
	}
	return c
}
