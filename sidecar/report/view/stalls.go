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
type Stalls struct{ list []stall } // the latest last

type stall struct {
	Stall
	latency int64
	trace   assemble.Candidate // of the slowest; nil: it is told
}

// Add takes a slow request; its trace is built only if it is shown.
func (s *Stalls) Add(c assemble.Candidate) {
	x := c.Summary()
	t := stall{Stall: Stall{Start: x.Start, End: x.End(), Requests: 1}, latency: int64(x.Latency), trace: c}
	rest := s.list[:0]
	for i := range s.list {
		if !t.takeIn(&s.list[i]) {
			rest = append(rest, s.list[i])
		}
	}
	clear(s.list[len(rest):])
	i := len(rest)
	for i > 0 && rest[i-1].Start > t.Start {
		i--
	}
	s.list = slices.Insert(rest, i, t)
	if len(s.list) > maxStalls {
		s.list = slices.Delete(s.list, 0, 1)
	}
}

// takeIn makes another stall a part of this one, if they overlap: requests come in
// the order in which their traces are whole, which is not that of their ends, so one
// may be what joins two.
func (t *stall) takeIn(x *stall) bool {
	start, end := min(t.Start, x.Start), max(t.End, x.End)
	longest := max(maxLength, t.End-t.Start, x.End-x.Start)
	if x.Start >= t.End || x.End <= t.Start || end-start > longest {
		return false
	}
	t.Start, t.End, t.Requests = start, end, t.Requests+x.Requests
	if x.latency >= t.latency {
		t.latency, t.trace, t.Slowest = x.latency, x.trace, x.Slowest
	}
	return true
}

// Last are the last n, the latest first.
func (s *Stalls) Last(n int) (all []Stall) {
	for i := len(s.list) - 1; i >= 0 && len(all) < n; i-- {
		t := &s.list[i]
		if t.trace != nil {
			t.Slowest, t.trace = slowOf(t.trace.BuildTrace()), nil
		}
		all = append(all, t.Stall)
	}
	return all
}
