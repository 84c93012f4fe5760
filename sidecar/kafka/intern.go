package kafka

import "strings"

// Interner gives equal bytes the same string without allocating again. It
// holds a bounded number of names and starts afresh beyond that. Not safe for
// concurrent use.
type Interner struct {
	names  map[string]string
	recent [64]string // by a cheap hash: most names come again and again
}

const maxInterned = 8192

// NewInterner returns an empty Interner.
func NewInterner() *Interner { return &Interner{names: make(map[string]string)} }

// String is b as a string of valid UTF-8.
func (i *Interner) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	slot := &i.recent[(uint(len(b))*31+uint(b[0])*7+uint(b[len(b)-1]))%uint(len(i.recent))]
	if *slot == string(b) {
		return *slot
	}
	s, ok := i.names[string(b)]
	if !ok {
		s = i.add(string(b))
	}
	*slot = s
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
