package sample

import "github.com/tailspan/tailspan/spans"

// ring remembers values, oldest first, that can be taken out by their ids. Of
// several with one id the last is found; another may be when that is gone. The
// zero value holds nothing and takes nothing.
type ring[T any] struct {
	ids    []spans.TraceID // zero: empty, or taken out
	values []T
	head   int // of the oldest
	used   int // slots from head on, those taken out included
	n      int
	index  index
}

func newRing[T any](size int) ring[T] {
	return ring[T]{ids: make([]spans.TraceID, size), values: make([]T, size), index: newIndex(size)}
}

func (r *ring[T]) has(id spans.TraceID) bool { return r.n > 0 && r.index.find(r.ids, &id) >= 0 }

// take removes the value of an id.
func (r *ring[T]) take(id spans.TraceID) (v T, ok bool) {
	if r.n == 0 {
		return v, false
	}
	if at := r.index.find(r.ids, &id); at >= 0 {
		return r.empty(at), true
	}
	return v, false
}

// next is what push will forget: the oldest value, if there is no slot left and
// it was not taken out.
func (r *ring[T]) next() (v *T, ok bool) {
	if r.used < len(r.ids) || r.ids[r.head].IsZero() {
		return nil, false
	}
	return &r.values[r.head], true
}

// push adds an id that is not zero, for the oldest if need be, and returns where
// its value goes; something old may still be there.
func (r *ring[T]) push(id spans.TraceID) *T {
	if r.used == len(r.ids) {
		if !r.ids[r.head].IsZero() {
			r.n--
		}
		r.pass()
	}
	at := r.wrap(r.head + r.used)
	r.ids[at] = id
	r.index.put(r.ids, at)
	r.used++
	r.n++
	return &r.values[at]
}

// drop gives up the oldest slot, and returns what was in it.
func (r *ring[T]) drop() (v T, ok bool) {
	at := r.head
	r.pass()
	if r.ids[at].IsZero() {
		return v, false
	}
	return r.empty(at), true
}

func (r *ring[T]) pass() {
	r.head = r.wrap(r.head + 1)
	r.used--
}

func (r *ring[T]) wrap(at int) int {
	if at >= len(r.ids) {
		at -= len(r.ids)
	}
	return at
}

func (r *ring[T]) empty(at int) T {
	v := r.values[at]
	var none T
	r.ids[at], r.values[at] = spans.TraceID{}, none
	r.n--
	return v
}

// idSet is a set that holds the latest ids added.
type idSet struct {
	ring[struct{}]
	forgotten uint64 // had to give way to newer ones
}

func newIDs(size int) idSet { return idSet{ring: newRing[struct{}](size)} }

func (s *idSet) add(id spans.TraceID) {
	if id.IsZero() || s.has(id) {
		return
	}
	if _, full := s.next(); full {
		s.forgotten++
	}
	s.push(id)
}

func (s *idSet) remove(id spans.TraceID) bool {
	_, ok := s.take(id)
	return ok
}
