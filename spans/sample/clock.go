package sample

import "time"

const (
	// second is for how long candidates compete for the budget.
	second = int64(time.Second)

	// farBehind is how far behind the latest event a tick is the truth: the
	// clock was set back, or an event lied.
	farBehind = int64(time.Minute)
)

// clock is the latest time that was told, and when what is under way ends.
// Traces come in about the order of their ends; one that comes late belongs to
// the second in which it came.
type clock struct {
	now         int64 // Unix ns
	secondEnd   int64
	interval    int64
	intervalEnd int64
}

func (c *clock) setBack(to int64) bool {
	if c.now-to <= farBehind {
		return false
	}
	c.now = to - 1
	return true
}

// after is the end of the one of these spans of time in which t lies.
func after(t, each int64) int64 { return (t/each + 1) * each }

// advance ends the second and the interval that are over.
func (s *Sampler) advance(t int64) {
	if t <= s.clock.now {
		return
	}
	s.clock.now = t
	if s.budget.rate > 0 && t >= s.clock.secondEnd {
		s.endSecond(t)
	}
	if s.slowest.most > 0 && t >= s.clock.intervalEnd {
		s.endInterval(t)
	}
}
