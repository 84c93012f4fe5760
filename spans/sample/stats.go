package sample

import "strings"

// Stats says what became of the candidates.
type Stats struct {
	All      Account
	Requests Account // those of them that are requests

	// OverBudget are those dropped so, by topic and class: their sum is
	// All.By[OverBudget]. What would make it grow too long is of OtherTopics.
	OverBudget map[Stratum]uint64

	Spans     uint64 // exported
	Traces    int    // how many may be kept of this second; 0: no limit
	Wanted    int    // ids asked for that have not come
	Forgotten uint64 // ids asked for that never came and had to give way
}

// Account is of candidates, each of which is pending or has one fate:
// Seen = Kept() + Dropped() + Pending, at any moment.
type Account struct {
	Seen    uint64
	By      [Fates]uint64
	Pending uint64 // wait for the end of their second or interval, or may still be linked to
}

// Kept is how many were exported.
func (a *Account) Kept() uint64 { return a.sum(true) }

// Dropped is how many never will be.
func (a *Account) Dropped() uint64 { return a.sum(false) }

func (a *Account) sum(kept bool) (n uint64) {
	for f := range Fate(Fates) {
		if f.Kept() == kept {
			n += a.By[f]
		}
	}
	return n
}

// Stratum is what drops over the budget are counted by.
type Stratum struct {
	Topic string // "": of several topics, or of none
	Class Class
}

// OtherTopics are those that had something dropped after maxCounted strata.
const OtherTopics = "(other)"

const maxCounted = maxTopics * classes

// Stats may be read at any time.
func (s *Sampler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	for _, l := range []load{s.pool.load, s.fullLoad, s.stubLoad, s.todoLoad} {
		st.All.Pending += uint64(l.all)
		st.Requests.Pending += uint64(l.requests)
	}
	st.OverBudget = make(map[Stratum]uint64, len(s.over))
	for key, n := range s.over {
		st.OverBudget[key] = *n
	}
	if s.budget.rate > 0 {
		st.Traces = s.strata.most
	}
	st.Wanted, st.Forgotten = s.wanted.n, s.wanted.forgotten
	return st
}

// load is how many candidates wait somewhere.
type load struct{ all, requests int }

func (l *load) add(request bool)    { l.move(request, 1) }
func (l *load) remove(request bool) { l.move(request, -1) }

func (l *load) move(request bool, by int) {
	l.all += by
	if request {
		l.requests += by
	}
}

func (st *Stats) saw(request bool) {
	st.All.Seen++
	if request {
		st.Requests.Seen++
	}
}

func (st *Stats) count(f Fate, request bool) {
	st.All.By[f]++
	if request {
		st.Requests.By[f]++
	}
}

// mark is what a candidate will be counted as if nobody wants it.
type mark uint8

const worthless mark = 0 // sampled out

func overBudget(c Class) mark { return mark(c) + 1 }

// lose counts what nobody wanted.
func (s *Sampler) lose(m mark, topic string, request bool) {
	if m == worthless {
		s.stats.count(SampledOut, request)
		return
	}
	s.stats.count(OverBudget, request)
	*s.overOf(topic, Class(m-1))++
}

func (s *Sampler) overOf(topic string, c Class) *uint64 {
	key := Stratum{topic, c}
	n := s.over[key]
	if n == nil && len(s.over) >= maxCounted {
		key.Topic = OtherTopics
		n = s.over[key]
	}
	if n == nil {
		n = new(uint64)
		key.Topic = strings.Clone(key.Topic)
		s.over[key] = n
	}
	return n
}
