package sample

import "github.com/tailspan/tailspan/spans"

// ring remembers values, oldest first, that can be taken out by their ids. The
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

func (r *ring[T]) has(id spans.TraceID) bool { return r.index.find(r.ids, id) >= 0 }

// take removes the value of an id.
func (r *ring[T]) take(id spans.TraceID) (v T, ok bool) {
	if at := r.index.find(r.ids, id); at >= 0 {
		return r.empty(at), true
	}
	return v, false
}

// room makes sure that one more can be added, and returns what had to be
// forgotten for it.
func (r *ring[T]) room() (v T, forgotten bool) {
	if r.used < len(r.ids) {
		return v, false
	}
	return r.drop()
}

// drop gives up the oldest slot, and returns what was in it.
func (r *ring[T]) drop() (v T, ok bool) {
	at := r.head
	r.head = (r.head + 1) % len(r.ids)
	r.used--
	if r.ids[at].IsZero() {
		return v, false
	}
	return r.empty(at), true
}

// add needs room, and an id that is neither zero nor there.
func (r *ring[T]) add(id spans.TraceID, v T) {
	at := (r.head + r.used) % len(r.ids)
	r.ids[at], r.values[at] = id, v
	r.index.put(r.ids, at)
	r.used++
	r.n++
}

func (r *ring[T]) empty(at int) T {
	r.index.remove(r.ids, at)
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
	if _, forgotten := s.room(); forgotten {
		s.forgotten++
	}
	s.ring.add(id, struct{}{})
}

func (s *idSet) remove(id spans.TraceID) bool {
	_, ok := s.take(id)
	return ok
}
