package view

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

const (
	maxStalls = 16
	maxLength = int64(10e9) // of a stall: what goes on for longer is the next one
)

// Stall is the slow requests of one time: each began before another one of them
// ended.
type Stall struct {
	Start, End int64  // Unix ns
	Requests   uint64 // that were slow
	Slowest    Slow
}

// Stalls are the last ones. It belongs to one goroutine.
type Stalls struct{ list []*stall } // the latest last

type stall struct {
	Stall
	latency int64
	trace   assemble.Candidate // of the slowest; nil: it is told
}

// Add takes a slow request; its trace is built only if it is shown.
func (s *Stalls) Add(c assemble.Candidate) {
	x := c.Summary()
	t := s.at(x.Start, x.End())
	t.Start, t.End = min(t.Start, x.Start), max(t.End, x.End())
	t.Requests++
	if latency := int64(x.Latency); latency > t.latency {
		t.latency, t.trace = latency, c
	}
}

// at is the stall that a time belongs to. Requests come in the order in which
// their traces are whole, which is not that of their ends.
func (s *Stalls) at(start, end int64) *stall {
	for _, t := range slices.Backward(s.list) {
		if start < t.End && end > t.Start && max(end, t.End)-min(start, t.Start) <= max(maxLength, end-start, t.End-t.Start) {
			return t
		}
	}
	t := &stall{Stall: Stall{Start: start, End: end}}
	i := len(s.list)
	for i > 0 && s.list[i-1].Start > start {
		i--
	}
	s.list = slices.Insert(s.list, i, t)
	if len(s.list) > maxStalls {
		s.list = slices.Delete(s.list, 0, 1)
	}
	return t
}

// Last are the last n, the latest first.
func (s *Stalls) Last(n int) (all []Stall) {
	for _, t := range slices.Backward(s.list[max(0, len(s.list)-n):]) {
		if t.trace != nil {
			t.Slowest, t.trace = slowOf(t.trace.BuildTrace()), nil
		}
		all = append(all, t.Stall)
	}
	return all
}
