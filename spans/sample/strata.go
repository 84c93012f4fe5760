package sample

const (
	// maxTopics of one second compete for themselves; the others as one.
	maxTopics = 128

	// fewest is how many traces of each stratum are kept at least, where there
	// are that many: with none its requests would be missing from every count,
	// and with one the variance of the count is infinite.
	fewest = 2
)

// strata shares out the traces that one second may keep: fairly over topics,
// and within a topic over classes, as in max-min fairness, where nobody gets
// less so that somebody who has more gets still more. Shares are counted in
// arrivals, never in what is held, so that they do not depend on the
// randomness of anything held.
type strata struct {
	most   int       // traces of this second
	limit  int       // strata of this second: fewest of each is not beyond most
	shares int       // handed out
	topics []topic   // the first is everything else
	all    []stratum // the first is everything else
	byName map[string]int32
}

// topic is what its strata have together.
type topic struct {
	share   int
	excess  int            // what its strata have beyond fewest
	stratum [classes]int32 // everything: none of its own
}

// stratum is one class of one topic.
type stratum struct {
	topic  int32
	share  int // how many of it may be held
	held   int
	top    uint32 // of the heap of these
	below  uint64 // threshold: whose randomness is less was given up
	states [2]string
}

// everything is the stratum, and the topic, of what came when there were
// enough others.
const everything = 0

// begin starts a second in which so many traces may be kept.
func (s *strata) begin(most int) {
	if s.byName == nil {
		s.byName = make(map[string]int32)
	}
	clear(s.byName)
	s.topics = append(s.topics[:0], topic{})
	s.all = append(s.all[:0], stratum{})
	s.most, s.limit, s.shares = most, max(1, most/fewest), 0
}

// find returns the stratum of a topic's class.
func (s *strata) find(name string, c Class) int32 {
	t, ok := s.byName[name]
	if !ok {
		if len(s.topics) == maxTopics || len(s.all) == s.limit {
			t = everything
		} else {
			t = int32(len(s.topics))
			s.topics = append(s.topics, topic{})
			s.byName[name] = t
		}
	}
	if at := s.topics[t].stratum[c]; at != everything {
		return at
	}
	if len(s.all) == s.limit {
		return everything
	}
	at := int32(len(s.all))
	s.all = append(s.all, stratum{topic: t})
	s.topics[t].stratum[c] = at
	return at
}

// arrive gives a stratum one more share. Once all are handed out somebody
// loses one for it, possibly the same; it is returned then.
func (s *strata) arrive(at int32) (loser int32, cut bool) {
	s.grow(at, 1)
	if s.shares <= s.most {
		return 0, false
	}
	loser = s.largest(at)
	s.grow(loser, -1)
	return loser, true
}

func (s *strata) grow(at int32, by int) {
	st := &s.all[at]
	t := &s.topics[st.topic]
	t.excess -= max(st.share-fewest, 0)
	st.share += by
	t.excess += max(st.share-fewest, 0)
	t.share += by
	s.shares += by
}

// largest is the largest stratum of the largest topic that has something to
// give, among equals this one's topic, and this one.
func (s *strata) largest(this int32) int32 {
	from := s.all[this].topic
	most := -1
	if s.topics[from].excess > 0 {
		most = s.topics[from].share
	}
	for i := range s.topics {
		if t := &s.topics[i]; t.excess > 0 && t.share > most {
			from, most = int32(i), t.share
		}
	}
	return s.largestOf(from, this)
}

func (s *strata) largestOf(t, this int32) (largest int32) {
	most := -1
	if s.all[this].topic == t {
		largest, most = this, s.all[this].share
	}
	if t == everything && s.all[everything].share > most {
		largest, most = everything, s.all[everything].share
	}
	for _, at := range s.topics[t].stratum {
		if at != everything && s.all[at].share > most {
			largest, most = at, s.all[at].share
		}
	}
	return largest
}

// state is the tracestate of what is kept of a stratum.
func (s *strata) state(at int32, c Class, p *policy) string {
	st := &s.all[at]
	if st.below == 0 {
		return p.state(c)
	}
	t, i := st.below, 1
	if c == ClassRest { // in a stratum with others, that may be the greater one
		t, i = max(t, p.share), 0
	}
	if st.states[i] == "" {
		st.states[i] = stateOf(t)
	}
	return st.states[i]
}
