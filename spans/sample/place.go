package sample

import "github.com/tailspan/tailspan/spans"

// place decides where a candidate goes: out, into its second, among the
// slowest, or to those that may be asked for.
func (s *Sampler) place(c Candidate, sum *spans.Summary) {
	class, worthy := s.policy.class(sum)
	asked := s.wanted.remove(sum.ID)
	top := sum.Request && s.slowest.admits(sum.Latency)
	at := none
	switch {
	case worthy && s.budget.rate > 0:
		at = s.compete(c, sum, class, asked, top)
	case worthy:
		s.queue(decided{c, sum.ID, class.fate(), sum.Request, s.policy.state(class)})
	case asked:
		s.queue(decided{c, sum.ID, Linked, sum.Request, ""})
	case top:
		at = s.pool.add(c, sum, class, nowhere)
	default:
		s.remember(c, sum, worthless)
	}
	if top {
		s.list(sum, at)
	}
}

// compete adds a candidate to its stratum, from which the least has to go if
// that is more than its share now; what is below the threshold goes at once.
// It returns where the candidate is held, if it is.
func (s *Sampler) compete(c Candidate, sum *spans.Summary, class Class, asked, top bool) uint32 {
	st := s.strata.find(sum.Topic, class)
	loser, cut := s.strata.arrive(st)
	at := s.pool.add(c, sum, class, st)
	it := &s.pool.items[at]
	it.top = top
	if asked {
		it.must = mustLinked
	}
	if own := &s.strata.all[st]; it.rank < own.below {
		s.giveUp(at)
	} else {
		own.top = s.pool.meld(own.top, at)
		own.held++
	}
	if cut {
		s.trim(loser)
	}
	if s.pool.items[at].c == nil {
		return none
	}
	return at
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

// list adds a request to the slowest.
func (s *Sampler) list(sum *spans.Summary, at uint32) {
	if at != none {
		s.pool.items[at].top = true
	}
	out := s.slowest.add(sum.Latency, at)
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
