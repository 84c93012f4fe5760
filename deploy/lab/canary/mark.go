package canary

import (
	"crypto/rand"
	"fmt"
	"math/big"
)

// Mark is bytes that nothing else contains.
type Mark struct {
	Name  string // where it was put
	Bytes []byte
}

func (m Mark) String() string { return m.Name }

// Text of the mark.
func (m Mark) Text() string { return string(m.Bytes) }

const (
	// markLength is twice the window and more: if a mark is cut anywhere, one of
	// the halves is still found.
	markLength = 2*window + 4
	letters    = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	specials   = "\"\\<>&'`%+/=?#;:,|{}[]()$@~^ \t\n\r\x00\x01\x1b\x7f"
)

// New makes a mark of letters and digits, which may stand in any name.
func New(format string, args ...any) Mark {
	return random(func(int) byte { return draw(letters) }, format, args...)
}

// NewSpecial makes a mark of which every second byte is one that formats
// escape.
func NewSpecial(format string, args ...any) Mark {
	return random(func(i int) byte { return draw([]string{letters, specials}[i%2]) }, format, args...)
}

// NewBinary makes a mark of bytes that are no text.
func NewBinary(format string, args ...any) Mark {
	return random(func(int) byte { return draw(all) }, format, args...)
}

// Of makes a mark of bytes that are known to be random, such as a digest.
func Of(b []byte, format string, args ...any) Mark {
	return Mark{Name: fmt.Sprintf(format, args...), Bytes: b}
}

func random(next func(int) byte, format string, args ...any) Mark {
	m := Mark{Name: fmt.Sprintf(format, args...), Bytes: make([]byte, markLength)}
	for i := range m.Bytes {
		m.Bytes[i] = next(i)
	}
	return m
}

// all are the bytes that there are.
var all = func() string {
	var b [256]byte
	for i := range b {
		b[i] = byte(i)
	}
	return string(b[:])
}()

func draw(from string) byte {
	n, err := rand.Int(rand.Reader, big.NewInt(int64(len(from))))
	if err != nil {
		panic(err) // the system has no randomness
	}
	return from[n.Int64()]
}
