package sample

import (
	"time"

	"github.com/tailspan/tailspan/spans"
)

// place decides where a candidate goes: out, into its second, among the
// slowest, or to those that may be asked for.
func (s *Sampler) place(c Candidate, sum *spans.Summary) {
	class, worthy := s.policy.class(sum)
	asked := s.wanted.remove(sum.ID)
	top := sum.Request && s.slowest.admits(sum.Latency)
	at, lost, competes := none, worthless, false
	if worthy && s.budget.rate > 0 {
		lost = overBudget(class)
		at, competes = s.compete(c, sum, class, asked, top)
	}
	switch {
	case competes:
	case worthy && s.budget.rate <= 0:
		s.queue(decided{c, sum.ID, class.fate(), sum.Request, s.policy.state(class)})
	case asked:
		s.queue(decided{c, sum.ID, Linked, sum.Request, ""})
	case top:
		at = s.pool.add(held{c: c, sum: *sum, stratum: nowhere, lost: lost, top: true})
	default:
		s.remember(c, sum, lost)
	}
	if top {
		s.list(sum.Latency, at)
	}
}

// compete adds a candidate to its stratum, unless it is below the threshold,
// and takes from the stratum that has to give way. It returns where the
// candidate is held, if it was added and still is.
func (s *Sampler) compete(c Candidate, sum *spans.Summary, class Class, asked, top bool) (at uint32, added bool) {
	stratum := s.strata.find(sum.Topic, class)
	loser, cut := s.strata.arrive(stratum)
	st, rank := &s.strata.all[stratum], randomness(sum.ID)
	if rank >= st.below {
		at, added = s.pool.add(held{c: c, sum: *sum, rank: rank, class: class, stratum: stratum, top: top}), true
		if asked {
			s.pool.items[at].must = mustLinked
		}
		st.top = s.pool.meld(st.top, at)
		st.held++
	}
	if cut {
		s.trim(loser)
	}
	if added && s.pool.items[at].c == nil {
		at = none
	}
	return at, added
}

// trim takes from a stratum what is more than its share: the candidates with
// the least randomness, and with these all that have the same, so that those
// and only those are left whose randomness is not below the threshold.
func (s *Sampler) trim(at int32) {
	st := &s.strata.all[at]
	for st.top != none && (st.held > st.share || s.pool.items[st.top].rank < st.below) {
		least := st.top
		st.top = s.pool.behead(least)
		st.held--
		st.below = max(st.below, s.pool.items[least].rank+1)
		s.giveUp(least)
	}
}

// giveUp is for a candidate that has lost its place in its stratum.
func (s *Sampler) giveUp(at uint32) {
	it := &s.pool.items[at]
	it.stratum, it.lost = nowhere, overBudget(it.class)
	switch {
	case it.must == mustLinked:
		s.decide(at, Linked, "")
	case it.must == mustSlowest:
		s.decide(at, Slowest, "")
	case !it.top:
		s.letGo(at)
	}
}

// list adds a request to the slowest; at none if it is kept already.
func (s *Sampler) list(latency time.Duration, at uint32) {
	out := s.slowest.add(latency, at)
	if out == none {
		return
	}
	it := &s.pool.items[out]
	if it.top = false; it.stratum == nowhere {
		s.letGo(out)
	}
}

// letGo hands what is held to those that may be asked for.
func (s *Sampler) letGo(at uint32) {
	it := s.pool.items[at]
	s.pool.release(at)
	s.remember(it.c, &it.sum, it.lost)
}
