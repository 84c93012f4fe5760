package sample

import (
	"cmp"
	"slices"
)

// endSecond keeps what is left of the second, in the order in which it ended,
// and begins the one in which t lies.
func (s *Sampler) endSecond(t int64) {
	if s.budget.rate <= 0 {
		return
	}
	for _, at := range s.competing() {
		it := &s.pool.items[at]
		s.decide(at, it.class.fate(), s.strata.state(it.stratum, it.class, &s.policy))
	}
	begun := s.clock.secondEnd - second
	s.clock.secondEnd = after(t, second)
	s.budget.turn(max(float64(s.clock.secondEnd-second-begun)/float64(second), 1))
	s.strata.begin(s.budget.most())
}

// competing are the slots of all that have a place in a stratum.
func (s *Sampler) competing() []uint32 {
	s.scratch = s.scratch[:0]
	for at := range s.pool.items {
		if it := &s.pool.items[at]; it.c != nil && it.stratum != nowhere {
			s.scratch = append(s.scratch, uint32(at))
		}
	}
	slices.SortFunc(s.scratch, func(a, b uint32) int {
		x, y := &s.pool.items[a], &s.pool.items[b]
		return cmp.Or(cmp.Compare(x.sum.End(), y.sum.End()), cmp.Compare(a, b))
	})
	return s.scratch
}

// endInterval keeps the slowest, and begins the interval in which t lies.
// Those that still compete are kept by their second, one way or the other.
func (s *Sampler) endInterval(t int64) {
	s.clock.intervalEnd = after(t, s.clock.interval)
	for _, p := range s.slowest.list {
		if p.at == none {
			continue
		}
		it := &s.pool.items[p.at]
		it.top = false
		switch {
		case it.stratum == nowhere:
			s.decide(p.at, Slowest, "")
		case it.must == mustNot:
			it.must = mustSlowest
		}
	}
	s.slowest.list = s.slowest.list[:0]
}

// decide has what is held kept.
func (s *Sampler) decide(at uint32, why Fate, state string) {
	it := &s.pool.items[at]
	if it.top {
		s.slowest.kept(at)
	}
	d := decided{it.c, it.sum.ID, why, it.sum.Request, state}
	s.pool.release(at)
	s.queue(d)
}
