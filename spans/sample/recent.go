package sample

import "github.com/tailspan/tailspan/spans"

// recent is a ring of candidates, oldest first, that can be taken out by id.
// The zero value holds nothing.
type recent struct {
	ring  []slot
	head  int // of the oldest
	used  int // slots from head on, those taken out included
	index map[spans.TraceID]int32
}

type slot struct {
	id spans.TraceID
	c  Candidate // nil: empty, or taken out
}

func newRecent(keep int) recent {
	return recent{ring: make([]slot, keep), index: make(map[spans.TraceID]int32, keep)}
}

func (r *recent) len() int { return len(r.index) }

// add remembers a candidate and says how many had to be forgotten for it: the
// oldest if the ring is full, and an older one of the same id.
func (r *recent) add(id spans.TraceID, c Candidate) (forgotten int) {
	if r.used == len(r.ring) {
		forgotten += r.drop()
	}
	if r.take(id) != nil {
		forgotten++
	}
	at := (r.head + r.used) % len(r.ring)
	r.ring[at] = slot{id, c}
	r.index[id] = int32(at)
	r.used++
	return forgotten
}

// take removes and returns the candidate of an id, nil without one.
func (r *recent) take(id spans.TraceID) Candidate {
	at, ok := r.index[id]
	if !ok {
		return nil
	}
	c := r.ring[at].c
	r.ring[at].c = nil
	delete(r.index, id)
	return c
}

// drop empties the oldest slot and returns how many candidates were in it.
func (r *recent) drop() int {
	s := &r.ring[r.head]
	r.head = (r.head + 1) % len(r.ring)
	r.used--
	if s.c == nil {
		return 0
	}
	delete(r.index, s.id)
	s.c = nil
	return 1
}

func (r *recent) clear() (dropped int) {
	for r.used > 0 {
		dropped += r.drop()
	}
	return dropped
}
