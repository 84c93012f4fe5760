package kafka

import "strings"

// Interner gives equal bytes the same string without allocating again. It
// holds a bounded number of names and starts afresh beyond that. Not safe for
// concurrent use.
type Interner struct {
	names map[string]string
	last  string
}

const maxInterned = 8192

// NewInterner returns an empty Interner.
func NewInterner() *Interner { return &Interner{names: make(map[string]string)} }

// String is b as a string of valid UTF-8.
func (i *Interner) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if i.last == string(b) {
		return i.last
	}
	s, ok := i.names[string(b)]
	if !ok {
		s = i.add(string(b))
	}
	i.last = s
	return s
}

func (i *Interner) add(name string) string {
	if len(i.names) >= maxInterned {
		clear(i.names)
	}
	s := strings.ToValidUTF8(name, "\uFFFD")
	i.names[name] = s
	return s
}
