package jfr

import (
	"errors"
	"io"
)

// take reads a byte, 0 after an error.
func (s *scanner) take() byte {
	if s.next == len(s.ahead) && !s.fill() {
		return 0
	}
	c := s.ahead[s.next]
	s.next++
	return c
}

// back returns the byte that was just read.
func (s *scanner) back() {
	if s.err == nil {
		s.next--
	}
}

// fill reads on, behind the last byte, which back may ask for; false after an
// error.
func (s *scanner) fill() bool {
	if s.err == nil && !s.read() {
		s.fail(io.ErrUnexpectedEOF)
	}
	return s.err == nil
}

// read reads on; false at the end of the stream, and after an error.
func (s *scanner) read() bool {
	if s.err != nil {
		return false
	}
	keep := copy(s.buffer, s.ahead[max(0, len(s.ahead)-1):])
	for range 100 { // as bufio does, for readers that give nothing
		n, err := s.in.Read(s.buffer[keep:])
		if n > 0 {
			s.ahead, s.next = s.buffer[:keep+n], keep
			return true
		}
		if errors.Is(err, io.EOF) {
			return false
		}
		if err != nil {
			s.fail(err)
			return false
		}
	}
	s.fail(io.ErrNoProgress)
	return false
}
