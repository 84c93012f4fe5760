package sample

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// id is a trace id like the real ones: uniform in every byte.
func id(n uint64) spans.TraceID { return spans.EventID("", 0, "", n, 0) }

// made is a trace that links to others, and counts how often it is built.
type made struct {
	id      spans.TraceID
	latency time.Duration
	links   []uint64
	built   int
}

func (m *made) Summary() spans.Summary { return spans.Summary{ID: m.id, Latency: m.latency} }

func (m *made) BuildTrace() *spans.Trace {
	m.built++
	t := &spans.Trace{ID: m.id, Spans: make([]spans.Span, 2)}
	for _, l := range m.links {
		t.Spans[1].Links = append(t.Spans[1].Links, spans.Link{Trace: id(l)})
	}
	return t
}

type harness struct {
	*Sampler
	t    *testing.T
	got  map[spans.TraceID]int
	made []*made
}

func start(t *testing.T, o Options) *harness {
	h := &harness{t: t, got: map[spans.TraceID]int{}}
	o.Export = func(t *spans.Trace) { h.got[t.ID]++ }
	h.Sampler = New(o)
	return h
}

func (h *harness) offer(n uint64, ms int, links ...uint64) {
	m := &made{id: id(n), latency: time.Duration(ms) * time.Millisecond, links: links}
	h.made = append(h.made, m)
	h.Offer(m)
	h.balanced()
}

func (h *harness) balanced() {
	h.t.Helper()
	s := h.Stats()
	if s.Seen != s.KeptSlow+s.KeptLinked+s.Dropped+uint64(s.Pending) {
		h.t.Fatalf("seen ≠ kept + dropped + pending: %+v", s)
	}
	if len(h.got) > int(s.KeptSlow+s.KeptLinked) {
		h.t.Fatalf("exported uncounted: %d, %+v", len(h.got), s)
	}
}

// expect says which traces were exported, each once.
func (h *harness) expect(ns ...uint64) {
	h.t.Helper()
	for _, n := range ns {
		if h.got[id(n)] != 1 {
			h.t.Errorf("trace %d exported %d times", n, h.got[id(n)])
		}
	}
	if len(h.got) != len(ns) {
		h.t.Errorf("%d traces exported, not %d", len(h.got), len(ns))
	}
}

func TestSlowIsKept(t *testing.T) {
	h := start(t, Options{SLO: 65 * time.Millisecond})
	h.offer(1, 64)
	h.offer(2, 65)
	h.offer(3, 500)
	h.offer(4, 0)
	h.expect(2, 3)
	h.Close()
	if s := h.Stats(); s != (Stats{Seen: 4, KeptSlow: 2, Dropped: 2}) {
		t.Errorf("%+v", s)
	}
	if h.made[0].built != 0 {
		t.Error("built what was dropped")
	}
}

func TestZeroKeepsAll(t *testing.T) {
	h := start(t, Options{})
	h.offer(1, 0, 2)
	h.offer(2, 0)
	h.Close()
	h.expect(1, 2)
}

// Where nobody takes traces none is built, and all are counted.
func TestNobodyWants(t *testing.T) {
	for _, slo := range []time.Duration{0, time.Millisecond} {
		s := New(Options{SLO: slo})
		m := &made{id: id(1), latency: time.Second, links: []uint64{2}}
		s.Offer(m)
		s.Close()
		if st := s.Stats(); st != (Stats{Seen: 1, Dropped: 1}) || m.built != 0 {
			t.Errorf("slo %v: %+v, built %d times", slo, st, m.built)
		}
	}
}

func TestLinkedBefore(t *testing.T) {
	h := start(t, Options{SLO: time.Second})
	h.offer(1, 1)       // the commit
	h.offer(2, 1, 1)    // the holder
	h.offer(3, 1)       // nobody's
	h.offer(4, 2000, 2) // the waiter
	h.expect(4, 2, 1)
	if s := h.Stats(); s.KeptSlow != 1 || s.KeptLinked != 2 || s.Pending != 1 {
		t.Errorf("%+v", s)
	}
}

func TestLinkedAfter(t *testing.T) {
	h := start(t, Options{SLO: time.Second})
	h.offer(4, 2000, 2, 4)
	h.offer(3, 1)
	h.offer(2, 1, 1, 4)
	h.offer(1, 3000)
	h.offer(2, 1) // its id again
	h.expect(4, 2, 1)
	if s := h.Stats(); s.Wanted != 0 {
		t.Errorf("%+v", s)
	}
}

func TestLongChain(t *testing.T) {
	h := start(t, Options{SLO: time.Second})
	const n = 3 * closureLimit
	for i := range uint64(n) {
		h.offer(i, 1, i-1)
	}
	h.offer(n, 1000, n-1)
	if len(h.got) != closureLimit+1 {
		t.Errorf("%d built in one Offer", len(h.got))
	}
	h.offer(n+1, 1)
	h.Close()
	h.balanced()
	if len(h.got) != n+1 {
		t.Errorf("%d exported of a chain of %d", len(h.got), n+1)
	}
}

func TestBounds(t *testing.T) {
	h := start(t, Options{SLO: time.Second, Keep: 4})
	for i := range uint64(10) {
		h.offer(i, 1)
	}
	if s := h.Stats(); s.Pending != 4 || s.Dropped != 6 {
		t.Errorf("%+v", s)
	}
	h.offer(100, 1000, 6, 5, 50, 51, 52, 53, 54) // 5 is forgotten
	h.expect(100, 6)
	if s := h.Stats(); s.Wanted != 4 || s.Forgotten != 2 {
		t.Errorf("%+v", s)
	}
}

// Against the plain reading of the rule: everything that a slow trace leads to.
func TestClosureIsComplete(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		const n = 400
		links, slow := make([][]uint64, n), make([]bool, n)
		h := start(t, Options{SLO: time.Second})
		for _, i := range r.Perm(n) {
			for range r.IntN(3) {
				links[i] = append(links[i], r.Uint64N(n))
			}
			slow[i] = r.IntN(40) == 0
			ms := 1
			if slow[i] {
				ms = 1000
			}
			h.offer(uint64(i), ms, links[i]...)
		}
		h.Close()
		want := map[uint64]bool{}
		var visit func(uint64)
		visit = func(i uint64) {
			if !want[i] {
				want[i] = true
				for _, l := range links[i] {
					visit(l)
				}
			}
		}
		for i, s := range slow {
			if s {
				visit(uint64(i))
			}
		}
		if len(want) != len(h.got) {
			t.Fatalf("seed %d: %d exported, not %d", seed, len(h.got), len(want))
		}
	}
}

// A candidate that is dropped in the end, with the ring full.
func BenchmarkOfferDropped(b *testing.B) {
	s := New(Options{SLO: time.Second, Export: func(*spans.Trace) {}})
	m := &made{latency: time.Millisecond}
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		binary.LittleEndian.PutUint64(m.id[:], i*0x9E3779B97F4A7C15)
		s.Offer(m)
	}
}
