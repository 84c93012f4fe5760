package sample

import (
	"math/rand/v2"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

func TestLinkedBefore(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second)})
	h.offer(1, ms, event)               // the commit
	h.offer(2, ms, explains, links(1))  // the holder
	h.offer(3, ms)                      // nobody's
	h.offer(4, 2*time.Second, links(2)) // the waiter
	h.expect(4, 2, 1)
	h.fates(map[Fate]uint64{Slow: 1, Linked: 1})
	if s := h.Stats(); s.All.By[Linked] != 2 || s.All.Pending != 1 {
		t.Errorf("%+v", s)
	}
	if h.state(4) != "ot=th:0" || h.state(2) != "" || h.state(1) != "" {
		t.Errorf("%q %q %q", h.state(4), h.state(2), h.state(1))
	}
}

func TestLinkedAfter(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second)})
	h.offer(4, 2*time.Second, links(2, 4))
	h.offer(3, ms)
	h.offer(2, ms, links(1, 4))
	h.offer(1, 3*time.Second)
	h.offer(2, ms) // its id again
	h.expect(4, 2, 1)
	h.fates(map[Fate]uint64{Slow: 2, Linked: 1})
	if s := h.Stats(); s.Wanted != 0 {
		t.Errorf("%+v", s)
	}
}

// What would have been kept anyway counts, though it was asked for, too.
func TestLinkedKeepsItsProbability(t *testing.T) {
	for _, rate := range []int{0, 1000} {
		h := start(t, Options{SLO: always(time.Second), Share: 0.5, MaxSpansRate: rate})
		in, out := uint64(1), uint64(1)
		for randomness(id(in)) < never/2 {
			in++
		}
		for randomness(id(out)) >= never/2 || out == 1000 {
			out++
		}
		h.offer(1000, 2*time.Second, links(in, out))
		h.pass(time.Second)
		h.expect(1000)
		h.offer(in, ms)
		h.offer(out, ms)
		h.pass(time.Second)
		h.expect(1000, in, out)
		h.fates(map[Fate]uint64{Slow: 1, Share: 1, Linked: 1})
		if h.state(in) != "ot=th:8" || h.state(out) != "" {
			t.Errorf("%q, %q", h.state(in), h.state(out))
		}
	}
}

// Of most requests only a summary is left when a link asks for them.
func TestStub(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second), Share: 1e-9})
	of := &spans.Resource{}
	m := h.offer(1, 3*ms, of2(of), failed, cause(spans.CauseWrite), root(spans.CauseCommit), links(7))
	h.offer(2, 2*time.Second, links(1, 1))
	h.offer(3, 2*time.Second, links(1))
	h.expect(1, 2, 3)
	h.fates(map[Fate]uint64{Slow: 2, Stub: 1})
	tr := h.got[id(1)][0]
	r := tr.Root()
	if m.built != 0 || len(tr.Spans) != 1 || tr.State != "" || tr.Resource != of || tr.ID != id(1) {
		t.Errorf("built %d times: %+v", m.built, tr)
	}
	if r.Name != "produce" || r.Kind != spans.Server || r.End-r.Start != int64(3*ms) || r.Start != m.sum.Start || r.Error == "" || r.ID != id(1).Child("produce") {
		t.Errorf("%+v", r)
	}
	got := attribute.NewSet(r.Attributes...)
	want := attribute.NewSet(attribute.Bool(spans.KeyStub, true), attribute.String(spans.KeyDestination, "t"),
		attribute.String(spans.KeyCause, "fs.write"), attribute.String(spans.KeyRootCause, "jbd2.commit"))
	if got != want {
		t.Errorf("%v", r.Attributes)
	}
}

func of2(r *spans.Resource) option {
	return func(m *made) { m.sum.Resource, m.sum.Topic, m.sum.Kind = r, "t", spans.Server }
}

func TestRemoteIsNotAskedFor(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second)})
	h.offer(1, ms)
	h.Offer(remote{&made{sum: spans.Summary{ID: id(2), Latency: time.Minute, Request: true}, links: []spans.TraceID{id(1), id(3)}}})
	h.expect(2)
	if s := h.Stats(); s.Wanted != 0 {
		t.Errorf("%+v", s)
	}
}

type remote struct{ *made }

func (r remote) BuildTrace() *spans.Trace {
	t := r.made.BuildTrace()
	for i := range t.Spans {
		for j := range t.Spans[i].Links {
			t.Spans[i].Links[j].Remote = true
		}
	}
	return t
}

func TestLongChain(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second)})
	const n = 3 * perOffer
	for i := range uint64(n) {
		h.offer(i, ms, explains, links(i-1))
	}
	h.offer(n, time.Second, links(n-1))
	if len(h.got) != perOffer {
		t.Errorf("%d built in one Offer", len(h.got))
	}
	h.offer(n+1, ms)
	h.Close()
	h.balanced()
	if len(h.got) != n+1 {
		t.Errorf("%d exported of a chain of %d", len(h.got), n+1)
	}
}

func TestBoundsOfWhatIsRemembered(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second), Keep: 4, Stubs: 3})
	for i := range uint64(10) {
		h.offer(i, ms, explains)
		h.offer(20+i, ms)
	}
	h.fates(map[Fate]uint64{SampledOut: 13})
	h.offer(100, time.Second, links(6, 5, 50, 51, 52, 53, 54, 27, 26)) // 5 and 26 are forgotten
	h.expect(100, 6, 27)
	if s := h.Stats(); s.Wanted != 4 || s.Forgotten != 3 {
		t.Errorf("%+v", s)
	}
}

// Requests whose producers' trace was adopted share an id.
func TestTwins(t *testing.T) {
	h := start(t, Options{SLO: always(time.Second), Keep: 4, Stubs: 4})
	h.offer(1, time.Second)    // kept for itself
	h.offer(1, ms, explains)   // another request of that trace
	h.offer(1, 2*ms, explains) // a third
	h.offer(1, ms)
	h.offer(1, 2*ms)
	h.fates(map[Fate]uint64{Slow: 1})
	h.offer(2, time.Second, links(1)) // the third; a stub of the trace is not needed
	if n := len(h.got[id(1)]); n != 2 {
		t.Errorf("%d traces", n)
	}
	h.offer(1, time.Second)
	h.Close()
	h.balanced()
	h.fates(map[Fate]uint64{Slow: 3, Linked: 1, SampledOut: 3})
}

func TestZeroID(t *testing.T) {
	for _, rate := range []int{0, 100} {
		h := start(t, Options{SLO: always(time.Second), MaxSpansRate: rate, Slowest: 1})
		zero := func(m *made) { m.sum.ID = spans.TraceID{} }
		for range 3 {
			h.offer(0, 2*time.Second, zero, func(m *made) { m.links = []spans.TraceID{{}} })
			h.offer(0, ms, zero)
			h.offer(0, ms, zero, explains)
		}
		h.Close()
		h.balanced()
		h.fates(map[Fate]uint64{Slow: 3, SampledOut: 6})
	}
}

// Against the plain reading of the rule: everything that a slow trace leads
// to, where what nobody waited for leads no further.
func TestClosureIsComplete(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		const n = 400
		to, slow, whole := make([][]uint64, n), make([]bool, n), make([]bool, n)
		h := start(t, Options{SLO: always(time.Second), MaxSpansRate: []int{0, 1 << 20}[seed%2]})
		seen := make([]bool, n)
		early := make([]bool, n) // asked for before it came: kept whole
		for _, i := range r.Perm(n) {
			for range r.IntN(3) {
				to[i] = append(to[i], r.Uint64N(n))
			}
			slow[i], whole[i] = r.IntN(40) == 0, r.IntN(3) > 0
			options := []option{links(to[i]...)}
			if whole[i] {
				options = append(options, explains)
			}
			early[i] = h.wanted.has(id(uint64(i)))
			latency := ms
			if slow[i] {
				latency = time.Second
			}
			h.offer(uint64(i), latency, options...)
			seen[i] = true
		}
		h.Close()
		want := map[uint64]bool{}
		var visit func(uint64)
		visit = func(i uint64) {
			if want[i] {
				return
			}
			want[i] = true
			if slow[i] || whole[i] || early[i] {
				for _, l := range to[i] {
					visit(l)
				}
			}
		}
		for i, s := range slow {
			if s {
				visit(uint64(i))
			}
		}
		for i := range uint64(n) {
			if want[i] != (len(h.got[id(i)]) == 1) {
				t.Fatalf("seed %d: %d exported %d times, to be kept: %v", seed, i, len(h.got[id(i)]), want[i])
			}
		}
	}
}
