package sample

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// sequence is a random life of a sampler, checked after each step.
type sequence struct {
	*Sampler
	t    testing.TB
	r    *rand.Rand
	o    Options
	now  int64
	pace int64 // at most so long to the next
	all  []*life
	live map[*spans.Trace]*life // built, on its way to Export
	seen [2]uint64              // all, requests
	kept [2]uint64
}

// life is a candidate and what has happened to it.
type life struct {
	made
	s        *sequence
	exported int
}

func (l *life) BuildTrace() *spans.Trace {
	tr := l.made.BuildTrace()
	if l.built > 1 {
		l.s.t.Fatal("built twice")
	}
	if tr != nil {
		l.s.live[tr] = l
	}
	return tr
}

func newSequence(t testing.TB, seed uint64) *sequence {
	r := rand.New(rand.NewPCG(seed, 13))
	s := &sequence{t: t, r: r, now: int64(time.Hour), live: map[*spans.Trace]*life{}}
	pick := func(ns ...int) int { return ns[r.IntN(len(ns))] }
	s.pace = int64([]time.Duration{ms / 2, 4 * ms, 20 * ms}[r.IntN(3)])
	limits := []time.Duration{0, 20 * ms, 65 * ms, time.Hour}[r.IntN(4)]
	s.o = Options{
		SLO: func(topic string) time.Duration {
			if topic == "c" {
				return 5 * ms
			}
			return limits
		},
		Errors: r.IntN(2) == 0, Causes: []spans.Cause{spans.CauseGC}[:r.IntN(2)], Slowest: pick(0, 1, 5), Each: time.Duration(pick(0, 300, 1000, 1700)) * ms,
		Share: []float64{0, 0.1, 0.7, 1}[r.IntN(4)], MaxSpansRate: pick(0, 1, 20, 200, 5000), Keep: pick(1, 7, 40), Stubs: pick(1, 7, 40),
		Export: s.export,
	}
	s.Sampler = New(s.o)
	return s
}

// export checks that what comes is whole, and comes once.
func (s *sequence) export(tr *spans.Trace) bool {
	l := s.live[tr]
	threshold, known := parse(s.t, tr.State)
	switch {
	case l == nil && (len(tr.Spans) != 1 || known || len(tr.Root().Attributes) == 0):
		s.t.Fatalf("no stub, and nobody's: %+v", tr)
	case l != nil && (len(tr.Spans) != max(l.spans, 2) || tr.ID != l.sum.ID):
		s.t.Fatalf("torn: %d spans", len(tr.Spans))
	case known && randomness(tr.ID) < threshold:
		s.t.Fatalf("%014x was kept with %s", randomness(tr.ID), tr.State)
	}
	if l != nil {
		if l.exported++; l.exported > 1 {
			s.t.Fatal("exported twice")
		}
	}
	if s.r.IntN(20) == 0 {
		return false
	}
	s.kept[0]++
	return true
}

// step offers something, or lets time pass.
func (s *sequence) step() {
	if s.r.IntN(12) == 0 {
		s.now += []int64{0, int64(ms), int64(400 * ms), int64(time.Second), int64(time.Minute), -int64(time.Second), -int64(time.Hour) / 2}[s.r.IntN(7)]
		s.Tick(s.now)
		return
	}
	s.now += s.r.Int64N(s.pace)
	l := &life{s: s, made: made{spans: 2 + s.r.IntN(5)}}
	if s.r.IntN(50) == 0 {
		l.spans = -1
	}
	few := uint64(20 + len(s.all)/2) // so that some share an id
	l.sum = spans.Summary{
		ID: id(s.r.Uint64N(few)), Topic: string("aaabbcdefg"[s.r.IntN(10)]), Latency: time.Duration(s.r.ExpFloat64() * float64(30*ms)),
		Failed: s.r.IntN(10) == 0, Explains: s.r.IntN(3) == 0, Request: s.r.IntN(5) > 0,
	}
	if s.r.IntN(6) == 0 {
		l.sum.RootCause = spans.CauseGC
	}
	l.sum.Start = s.now - int64(l.sum.Latency) - s.r.Int64N(int64(300*ms))
	for range s.r.IntN(4) {
		l.links = append(l.links, id(s.r.Uint64N(few+3)))
	}
	s.all = append(s.all, l)
	s.seen[0]++
	if l.sum.Request {
		s.seen[1]++
	}
	s.Offer(l)
}

// check looks at the account, and at what it is of.
func (s *sequence) check() {
	s.t.Helper()
	st := s.Stats()
	pending, requests := s.pending()
	for _, a := range []struct {
		Account
		seen, pending uint64
	}{{st.All, s.seen[0], pending}, {st.Requests, s.seen[1], requests}} {
		if a.Seen != a.seen || a.Pending != a.pending || a.Seen != a.Kept()+a.Dropped()+a.Pending {
			s.t.Fatalf("%d seen, %d pending, kept %d, dropped %d: %+v", a.seen, a.pending, a.Kept(), a.Dropped(), a.Account)
		}
	}
	if st.All.Kept() != s.kept[0] {
		s.t.Fatalf("%d exported, not %d", s.kept[0], st.All.Kept())
	}
	s.bounds()
}

// pending counts by hand what waits.
func (s *sequence) pending() (all, requests uint64) {
	count := func(request bool) {
		all++
		if request {
			requests++
		}
	}
	for _, d := range s.todo[s.next:] {
		count(d.request)
	}
	for at, w := range s.full.values {
		if !s.full.ids[at].IsZero() {
			count(w.c.Summary().Request)
		}
	}
	for _, id := range s.stubs.ids {
		if !id.IsZero() {
			count(true)
		}
	}
	for i := range s.pool.items {
		if c := s.pool.items[i].c; c != nil {
			count(c.Summary().Request)
		}
	}
	return all, requests
}

// bounds checks that nothing is larger than it may be, and that each stratum
// holds what is above its threshold and nothing else.
func (s *sequence) bounds() {
	s.t.Helper()
	if s.full.n > s.o.Keep || s.stubs.n > s.o.Stubs || s.wanted.n > s.o.Keep || len(s.slowest.list) > s.o.Slowest {
		s.t.Fatalf("too much is remembered: %d, %d, %d, %d", s.full.n, s.stubs.n, s.wanted.n, len(s.slowest.list))
	}
	held, shares := 0, 0
	for i := range s.strata.all {
		st := &s.strata.all[i]
		held += st.held
		shares += st.share
		if n := s.above(st.top, st.below); n != st.held || n > st.share {
			s.t.Fatalf("%d in a heap of %d, of a share of %d", n, st.held, st.share)
		}
	}
	competing, top := 0, 0
	for i := range s.pool.items {
		switch it := &s.pool.items[i]; {
		case it.c == nil:
			continue
		case it.stratum != nowhere:
			competing++
		case !it.top:
			s.t.Fatal("held for nothing")
		}
		if s.pool.items[i].top {
			top++
		}
	}
	for _, p := range s.slowest.list {
		if p.at != none {
			if it := &s.pool.items[p.at]; it.c == nil || !it.top || it.sum.Latency != p.latency {
				s.t.Fatal("listed, and not held")
			}
			top--
		}
	}
	if held != competing || shares > s.strata.most || top != 0 {
		s.t.Fatalf("%d held, %d competing, shares %d of %d, %d too many slowest", held, competing, shares, s.strata.most, top)
	}
}

// above counts a heap, in which nothing is below the threshold.
func (s *sequence) above(at uint32, threshold uint64) (n int) {
	for ; at != none; at = s.pool.items[at].sibling {
		it := &s.pool.items[at]
		if it.rank < threshold {
			s.t.Fatal("below the threshold")
		}
		n += 1 + s.above(it.child, it.rank)
	}
	return n
}

func (s *sequence) run(steps int) {
	for range steps {
		s.step()
		s.check()
	}
	s.Close()
	s.check()
	st := s.Stats()
	if st.All.Pending != 0 || st.Requests.Pending != 0 {
		s.t.Fatalf("pending after the end: %+v", st)
	}
	for _, l := range s.all {
		if l.spans > 0 && l.built != l.exported {
			s.t.Fatal("built and not exported")
		}
	}
}

func TestAnySequence(t *testing.T) {
	for seed := range uint64(300) {
		newSequence(t, seed).run(400)
	}
}

func FuzzSequence(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		newSequence(t, seed).run(int(steps) % 2000)
	})
}
