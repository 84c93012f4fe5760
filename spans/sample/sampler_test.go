package sample

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Why each is kept, without a budget: at once.
func TestPolicy(t *testing.T) {
	h := start(t, Options{
		SLO: func(topic string) time.Duration {
			if topic == "quick" {
				return 10 * ms
			}
			return 65 * ms
		},
		Errors: true, Causes: []spans.Cause{spans.CauseCommit, spans.CauseGC},
	})
	h.offer(1, 64*ms)
	h.offer(2, 65*ms)
	h.offer(3, 64*ms, of("quick"))
	h.offer(4, 9*ms, of("quick"))
	h.offer(5, 1*ms, failed)
	h.offer(6, 900*ms, failed)
	h.offer(7, 1*ms, cause(spans.CauseCommit))
	h.offer(8, 1*ms, cause(spans.CauseMonitor), root(spans.CauseGC))
	h.offer(9, 1*ms, cause(spans.CauseMonitor))
	h.offer(10, 900*ms, event) // slow, but no request
	h.expect(2, 3, 5, 6, 7, 8)
	for _, n := range []uint64{2, 3, 5, 6, 7, 8} {
		if h.state(n) != "ot=th:0" {
			t.Errorf("trace %d: %q", n, h.state(n))
		}
	}
	h.Close()
	h.balanced()
	h.fates(map[Fate]uint64{Slow: 2, Failed: 2, OfCause: 2, SampledOut: 3})
	if s := h.Stats(); s.All.Seen != 10 || s.Requests.Seen != 9 || s.All.Pending != 0 || s.Spans != 12 {
		t.Errorf("%+v", s)
	}
}

func TestNothingIsBuiltInVain(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second), Slowest: 1, MaxSpansRate: 8, Keep: 4, Stubs: 4})
	var all []*made
	for n := range uint64(200) {
		all = append(all, h.offer(n, time.Duration(n)*10*ms, explains))
		h.pass(7 * ms)
	}
	h.Close()
	for _, m := range all {
		if m.built != len(h.got[m.sum.ID]) {
			t.Errorf("built %d times, exported %d times", m.built, len(h.got[m.sum.ID]))
		}
	}
}

func TestZeroKeepsAll(t *testing.T) {
	for _, o := range []Options{{}, {SLO: always(0)}} {
		h := start(t, o)
		h.offer(1, 0, links(2))
		h.offer(2, 0, event)
		h.expect(1, 2) // at once
		h.Close()
		h.expect(1, 2)
		if h.state(1) != "ot=th:0" || h.state(2) != "ot=th:0" {
			t.Errorf("%q, %q", h.state(1), h.state(2))
		}
	}
}

// One topic wants all of its own, and nothing else.
func TestZeroOfOneTopic(t *testing.T) {
	h := start(t, Options{SLO: func(topic string) time.Duration {
		if topic == "all" {
			return 0
		}
		return time.Second
	}})
	h.offer(1, ms, of("all"))
	h.offer(2, ms)
	h.offer(3, ms, event)
	h.expect(1)
}

// Where nobody takes traces none is built, and all are counted.
func TestNobodyWants(t *testing.T) {
	for _, d := range []time.Duration{0, ms} {
		s := New(Options{SLO: always(d), MaxSpansRate: 5})
		m := &made{sum: spans.Summary{ID: id(1), Latency: time.Second, Request: true}}
		s.Offer(m)
		s.Tick(int64(time.Hour))
		s.Close()
		if st := s.Stats(); st.Requests.Seen != 1 || st.Requests.By[SampledOut] != 1 || st.Requests.Pending != 0 || m.built != 0 {
			t.Errorf("slo %v: %+v, built %d times", d, st, m.built)
		}
	}
}

func TestShare(t *testing.T) {
	const n = 4000
	h := start(t, Options{SLO: always(time.Second), Share: 0.25})
	for i := range uint64(n) {
		m := h.offer(i, ms)
		if kept := len(h.got[m.sum.ID]) == 1; kept != (randomness(m.sum.ID) >= never/4*3) {
			t.Fatalf("%x kept: %v", randomness(m.sum.ID), kept)
		} else if kept && h.state(i) != "ot=th:c" {
			t.Fatal(h.state(i))
		}
	}
	if kept := h.Stats().Requests.By[Share]; kept < n/4-150 || kept > n/4+150 {
		t.Errorf("%d of %d", kept, n)
	}
}

func TestRefusedAndEmpty(t *testing.T) {
	for _, rate := range []int{0, 100} {
		h := start(t, Options{SLO: always(time.Second), MaxSpansRate: rate})
		h.offer(1, ms, explains)
		h.full = true
		h.offer(2, 2*time.Second, links(1))
		h.pass(time.Second)
		h.full = false
		h.offer(3, 2*time.Second, void)
		h.pass(time.Second)
		h.expect() // what 2 links to is not asked for
		h.fates(map[Fate]uint64{Refused: 1, Empty: 1})
		h.Close()
		h.fates(map[Fate]uint64{Refused: 1, Empty: 1, SampledOut: 1})
	}
}

// The slowest are kept at the end of their interval; what is kept for another
// reason counts among them.
func TestSlowest(t *testing.T) {
	h := start(t, Options{SLO: always(100 * ms), Slowest: 3})
	h.offer(1, 10*ms)
	h.offer(2, 50*ms)
	h.offer(3, 150*ms)
	h.offer(4, 30*ms)
	h.offer(5, 40*ms)
	h.offer(6, 90*ms, event)
	h.pass(DefaultEach - time.Second)
	h.expect(3)
	h.pass(time.Second)
	h.expect(3, 2, 5)
	if h.state(2) != "" || h.state(5) != "" {
		t.Errorf("%q, %q: their probability is not known", h.state(2), h.state(5))
	}
	h.offer(7, 5*ms)
	h.offer(8, 4*ms, explains)
	h.Close()
	h.balanced()
	h.expect(3, 2, 5, 7, 8)
	h.fates(map[Fate]uint64{Slow: 1, Slowest: 4, SampledOut: 2})
}

// One of the slowest that is asked for goes at once, and takes no other's place.
func TestSlowestIsAskedFor(t *testing.T) {
	h := start(t, Options{SLO: always(100 * ms), Slowest: 2})
	h.offer(1, 50*ms)
	h.offer(2, 40*ms)
	h.offer(3, 100*ms, links(1)) // now the two slowest are 3 and 1
	h.expect(1, 3)
	h.offer(4, 45*ms)
	h.pass(DefaultEach)
	h.expect(1, 3)
	h.fates(map[Fate]uint64{Slow: 1, Linked: 1})
}

// An event that lies about the time does not hold up what comes later for long.
func TestClockSetBack(t *testing.T) {
	h := start(t, Options{SLO: always(100 * ms), MaxSpansRate: 100, Slowest: 1})
	h.offer(1, 200*ms, func(m *made) { m.sum.Start += int64(1000 * time.Hour) })
	h.offer(2, 200*ms)
	h.expect()
	h.pass(100 * ms) // an hour, not a thousand: so it ended
	h.expect(1, 2)
	h.offer(3, 200*ms)
	h.pass(500 * ms) // now time goes on as before
	h.expect(1, 2)
	h.pass(time.Second)
	h.expect(1, 2, 3)
	h.pass(-30 * time.Second) // a tick that is late, and no more
	h.offer(4, 200*ms)
	h.pass(31 * time.Second)
	h.expect(1, 2, 3, 4)
}

// Goroutines do not get in each other's way.
func TestConcurrent(t *testing.T) {
	var exported atomic.Uint64
	s := New(Options{SLO: always(65 * ms), Share: 0.3, Slowest: 3, MaxSpansRate: 200, Keep: 50, Stubs: 50, Export: func(*spans.Trace) bool {
		exported.Add(1)
		return true
	}})
	const each = 2000
	var all sync.WaitGroup
	for g := range uint64(4) {
		all.Go(func() {
			for i := range uint64(each) {
				now := int64(time.Hour) + int64(i)*int64(5*ms)
				s.Offer(&made{sum: spans.Summary{ID: id(g*each + i), Start: now, Latency: time.Duration(i%130) * ms, Request: true, Explains: i%2 == 0}, links: []spans.TraceID{id(i)}})
				s.Tick(now)
				if st := s.Stats(); st.All.Seen != st.All.Kept()+st.All.Dropped()+st.All.Pending {
					t.Error("seen ≠ kept + dropped + pending")
				}
			}
		})
	}
	all.Wait()
	s.Close()
	if st := s.Stats(); st.All.Seen != 4*each || st.All.Pending != 0 || st.All.Kept() != exported.Load() {
		t.Errorf("%+v", st)
	}
}

func TestNames(t *testing.T) {
	want := []string{"rest", "cause", "error", "1x", "2x", "4x"}
	for c, name := range want {
		if Class(c).String() != name {
			t.Errorf("%d is %s", c, Class(c))
		}
	}
	for _, c := range []struct {
		latency, slo time.Duration
		want         string
	}{
		{65 * ms, 65 * ms, "1x"}, {129 * ms, 65 * ms, "1x"}, {130 * ms, 65 * ms, "2x"}, {time.Hour, 65 * ms, "2048x"},
		{0, 0, "1x"}, {5 * ms, 0, "4x"},
	} {
		if got := slowClass(c.latency, c.slo).String(); got != c.want {
			t.Errorf("%v of %v: %s, not %s", c.latency, c.slo, got, c.want)
		}
	}
	kept := 0
	for f := range Fate(Fates) {
		if f.String() == "" {
			t.Errorf("fate %d has no name", f)
		}
		if f.Kept() {
			kept++
		}
	}
	if kept != 7 {
		t.Errorf("%d fates are kept", kept)
	}
}
