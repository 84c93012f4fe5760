package sample

import "github.com/tailspan/tailspan/spans"

// ids is a set that holds the latest ids added, up to a limit. The zero value
// holds nothing and takes nothing.
type ids struct {
	ring      []spans.TraceID // zero: empty or removed
	next      int
	index     map[spans.TraceID]int32
	forgotten uint64 // overwritten by newer ones
}

func newIDs(limit int) ids {
	return ids{ring: make([]spans.TraceID, limit), index: map[spans.TraceID]int32{}}
}

func (s *ids) len() int { return len(s.index) }

func (s *ids) has(id spans.TraceID) bool {
	_, ok := s.index[id]
	return ok
}

func (s *ids) add(id spans.TraceID) {
	if s.has(id) {
		return
	}
	if old := s.ring[s.next]; !old.IsZero() {
		delete(s.index, old)
		s.forgotten++
	}
	s.ring[s.next] = id
	s.index[id] = int32(s.next)
	s.next = (s.next + 1) % len(s.ring)
}

func (s *ids) remove(id spans.TraceID) bool {
	slot, ok := s.index[id]
	if ok {
		s.ring[slot] = spans.TraceID{}
		delete(s.index, id)
	}
	return ok
}
