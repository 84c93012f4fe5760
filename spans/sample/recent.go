package sample

import "github.com/tailspan/tailspan/spans"

// recent is a ring of candidates, oldest first, that can be taken out by id.
// The zero value holds nothing.
type recent struct {
	ring   []Candidate // Build is nil in a slot that is empty or was taken
	head   int         // of the oldest
	used   int         // slots from head on, taken ones included
	live   int
	window int64
	newest int64 // the latest end seen
	index  map[spans.TraceID]int32
}

func newRecent(keep int, window int64) recent {
	return recent{
		ring:   make([]Candidate, keep),
		window: window,
		index:  make(map[spans.TraceID]int32, keep),
	}
}

func (r *recent) len() int { return r.live }

// add remembers a candidate and says how many had to be forgotten: those out
// of the window, the oldest if the ring is full, an older one of the same id.
func (r *recent) add(c Candidate) (forgotten int) {
	r.newest = max(r.newest, c.End)
	for r.used > 0 && r.ring[r.head].End < r.newest-r.window {
		forgotten += r.drop()
	}
	if r.used == len(r.ring) {
		forgotten += r.drop()
	}
	if _, ok := r.take(c.ID); ok {
		forgotten++
	}
	slot := (r.head + r.used) % len(r.ring)
	r.ring[slot] = c
	r.index[c.ID] = int32(slot)
	r.used++
	r.live++
	return forgotten
}

// take removes and returns the candidate of an id.
func (r *recent) take(id spans.TraceID) (Candidate, bool) {
	slot, ok := r.index[id]
	if !ok {
		return Candidate{}, false
	}
	c := r.ring[slot]
	r.ring[slot].Build = nil
	delete(r.index, id)
	r.live--
	return c, true
}

// drop empties the oldest slot and returns how many candidates were in it.
func (r *recent) drop() int {
	c := &r.ring[r.head]
	r.head = (r.head + 1) % len(r.ring)
	r.used--
	if c.Build == nil {
		return 0
	}
	delete(r.index, c.ID)
	c.Build = nil
	r.live--
	return 1
}

func (r *recent) clear() (dropped int) {
	for r.used > 0 {
		dropped += r.drop()
	}
	return dropped
}
