package assemble

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
)

const (
	// maxStays bounds the stays of one write that are kept; of more only the
	// sums are.
	maxStays = 256
	// maxSamples likewise.
	maxSamples = 256
)

// stays is what a thread did inside a write, or an fsync, other than run, and
// where it was found running. It begins anew with each.
type stays struct {
	list    []*event.OffCPU
	samples []*event.Sample
	more    struct { // beyond the list
		since           event.Time
		sleep, runQueue event.Time
	}
}

func (a *Assembler) offCPU(e *event.OffCPU) {
	a.seesOffCPU = true
	s := &a.broker(e.PID).thread(e.TID).stays
	if len(s.list) < maxStays {
		s.list = append(s.list, e)
		return
	}
	a.stats.StaysCut++
	start := min(max(e.Start, 0), e.End)
	if s.more.since == 0 {
		s.more.since = start
	}
	slept := sleep(e, start)
	s.more.sleep = min(s.more.sleep+slept, latest)
	s.more.runQueue = min(s.more.runQueue+e.End-start-slept, latest)
}

func (a *Assembler) sample(e *event.Sample) {
	s := &a.broker(e.PID).thread(e.TID).stays
	if len(s.samples) >= maxSamples {
		a.stats.SamplesCut++
		return
	}
	s.samples = append(s.samples, e)
}

func (s *stays) reset() {
	*s = stays{list: s.list[:0], samples: s.samples[:0]}
}

// sleep is how long a stay was spent waiting for something, counted from from;
// after that it waited for a CPU.
func sleep(e *event.OffCPU, from event.Time) event.Time {
	switch {
	case e.Preempted:
		return 0
	case e.Woken == 0:
		return e.End - from
	}
	return min(max(0, e.Woken-from), e.End-from)
}

// reasonOf is why a thread was off its CPU.
func reasonOf(e *event.OffCPU) string {
	switch {
	case e.Preempted:
		return stack.Preempted
	case e.Stack == nil || e.Stack.Reason == "":
		return stack.Unknown
	}
	return e.Stack.Reason
}

// inside are the stays between from and to, each with where it counts from: two
// of a thread do not overlap, whatever a recording says.
func (s *stays) inside(from, to event.Time) func(func(*event.OffCPU, event.Time) bool) {
	return func(yield func(*event.OffCPU, event.Time) bool) {
		at := from
		for _, e := range s.list {
			start := max(e.Start, at)
			if start >= e.End || e.End > to {
				continue
			}
			if at = e.End; !yield(e, start) {
				return
			}
		}
	}
}
