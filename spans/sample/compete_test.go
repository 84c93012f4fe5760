package sample

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// A flood of one topic does not drown the others, nor many a little slow the
// slowest.
func TestFlood(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 200 * guess, Errors: true})
	for n := range uint64(5000) {
		h.offer(n, 70*ms, of("flood"))
	}
	for n := range uint64(20) {
		h.offer(10000+n, 70*ms, of("rare"))
		h.offer(20000+n, 700*ms, of("flood"))
		h.offer(30000+n, 70*ms, of("flood"), failed)
	}
	h.pass(time.Second)
	for n := range uint64(20) {
		for _, first := range []uint64{10000, 20000, 30000} {
			if h.state(first+n) != "ot=th:0" {
				t.Errorf("%d: %s", first+n, h.state(first+n))
			}
		}
	}
	h.Close()
	h.fates(map[Fate]uint64{Slow: 180, Failed: 20, OverBudget: 4860})
	if over := h.Stats().OverBudget; len(over) != 1 || over[Stratum{"flood", ClassSlow}] != 4860 {
		t.Errorf("%v", over)
	}
}

// What a link asks for is kept though it is given up, without a probability;
// and what was given up before it was asked for, too.
func TestGivenUpAndLinked(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 1}) // two a second
	ranked := func(rank byte) option { return func(m *made) { m.sum.ID[9] = rank } }
	low := func(n byte) spans.TraceID { return spans.TraceID{1: 1, 9: n} }
	as := func(id spans.TraceID) option { return func(m *made) { m.sum.ID = id } }
	to := func(ids ...spans.TraceID) option { return func(m *made) { m.links = ids } }
	h.offer(1, 100*ms, as(low(250)), to(low(10), low(20), low(30)))
	h.pass(time.Second)
	for _, n := range []byte{20, 200, 201, 202} {
		h.offer(0, 100*ms, as(low(n)), explains)
	}
	h.offer(0, 100*ms, as(low(10)), explains)
	for n := range uint64(4) {
		h.offer(n, ms, ranked(0)) // of the rest, none is kept
	}
	for _, c := range []struct {
		rank  byte
		state string
	}{{20, ""}, {10, ""}} {
		if got := h.got[low(c.rank)]; len(got) != 1 || got[0].State != c.state {
			t.Errorf("rank %d: %v", c.rank, got)
		}
	}
	h.offer(0, 100*ms, as(low(203)), to(low(200)))
	h.pass(time.Second)
	h.fates(map[Fate]uint64{Slow: 3, Linked: 3})
	for _, n := range []byte{202, 203} {
		if got := h.got[low(n)]; len(got) != 1 || got[0].State != stateOf(randomness(low(201))+1) {
			t.Errorf("rank %d: %v", n, got)
		}
	}
	if got := h.got[low(200)]; len(got) != 1 || got[0].State != "" {
		t.Errorf("%v", got)
	}
	if s := h.Stats(); s.Wanted != 1 {
		t.Errorf("%+v", s)
	}
}

// Requests with one randomness go together, and so do those that come later.
func TestTiesGoTogether(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 1}) // two a second
	tie := func(n byte) option { return func(m *made) { m.sum.ID = spans.TraceID{0: n, 9: 7} } }
	high := func(m *made) { m.sum.ID = spans.TraceID{0: 9, 9: 8} }
	h.offer(0, 100*ms, tie(1))
	h.offer(0, 100*ms, tie(2))
	h.offer(0, 100*ms, high)
	h.offer(0, 100*ms, tie(3))
	h.pass(time.Second)
	h.fates(map[Fate]uint64{Slow: 1})
	if got := h.got[spans.TraceID{0: 9, 9: 8}]; len(got) != 1 || got[0].State != "ot=th:07000000000001" {
		t.Errorf("%v", got)
	}
}

// What comes later, with less randomness than what was given up, is out.
func TestThresholdDoesNotFall(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 9 * guess})
	ranked := func(topic string, rank byte) {
		h.offer(0, 100*ms, of(topic), func(m *made) { m.sum.ID = spans.TraceID{0: topic[0], 9: rank} })
	}
	for n := range byte(20) {
		ranked("a", 100+n)
	}
	for n := range byte(20) {
		ranked("b", 100+n)
	}
	below := h.strata.all[h.strata.find("a", ClassSlow)].below
	for n := range byte(20) {
		ranked("a", n)
		ranked("b", n)
	}
	for _, topic := range []string{"a", "b"} {
		if st := h.strata.all[h.strata.find(topic, ClassSlow)]; st.below < below || st.held < 3 || h.pool.items[st.top].rank < st.below {
			t.Errorf("%s: %+v", topic, st)
		}
	}
}

// In a stratum of several classes what is of the share is marked with the
// greater of two thresholds.
func TestShareInStratumWithOthers(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 1, Share: 0.5}) // one stratum of two
	ranked := func(rank byte, latency time.Duration) {
		h.offer(0, latency, func(m *made) { m.sum.ID = spans.TraceID{9: rank} })
	}
	ranked(0xf0, ms)
	ranked(0x01, 100*ms)
	ranked(0xf1, 200*ms)
	h.pass(time.Second)
	h.fates(map[Fate]uint64{Share: 1, Slow: 1})
	for rank, want := range map[byte]string{0xf0: "ot=th:8", 0xf1: "ot=th:01000000000001"} {
		if got := h.got[spans.TraceID{9: rank}]; len(got) != 1 || got[0].State != want {
			t.Errorf("rank %x: %v", rank, got)
		}
	}
}

// One of the slowest whose interval is over before its second is kept by the
// competition or without it.
func TestSlowestGivenUpLater(t *testing.T) {
	h := start(t, Options{SLO: always(65 * ms), MaxSpansRate: 1, Slowest: 1, Each: 300 * ms})
	ranked := func(rank byte, latency time.Duration) {
		h.offer(0, latency, func(m *made) { m.sum.ID = spans.TraceID{9: rank} })
	}
	ranked(1, time.Second)
	h.pass(350 * ms)
	h.expect()
	ranked(2, 100*ms)
	ranked(3, 100*ms)
	if got := h.got[spans.TraceID{9: 1}]; len(got) != 1 || got[0].State != "" {
		t.Errorf("%v", got)
	}
	h.pass(time.Second)
	h.fates(map[Fate]uint64{Slowest: 1, Slow: 2})
}

// Drops are counted for so many strata, and all in one sum.
func TestOverBudgetIsBounded(t *testing.T) {
	s := New(Options{})
	for i := range 3 * maxCounted {
		s.lose(overBudget(Class(i%classes)), spans.TraceID{byte(i), byte(i >> 8)}.String(), true)
	}
	if st := s.Stats(); len(st.OverBudget) > maxCounted+classes || st.OverBudget[Stratum{OtherTopics, ClassRest}] == 0 {
		t.Errorf("%d strata", len(st.OverBudget))
	}
}
