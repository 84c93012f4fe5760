package sample

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const ms = time.Millisecond

// id is a trace id like the real ones: uniform in every byte.
func id(n uint64) spans.TraceID { return spans.EventID("", 0, "", n, 0) }

func always(d time.Duration) func(string) time.Duration {
	return func(string) time.Duration { return d }
}

// made is a candidate that counts how often it is built.
type made struct {
	sum   spans.Summary
	links []spans.TraceID
	spans int // of its trace; 0: two, below 0: there is none
	built int
	trace *spans.Trace
}

func (m *made) Summary() spans.Summary { return m.sum }

func (m *made) BuildTrace() *spans.Trace {
	m.built++
	if m.spans < 0 {
		return nil
	}
	n := m.spans
	if n == 0 {
		n = 2
	}
	m.trace = &spans.Trace{ID: m.sum.ID, Spans: make([]spans.Span, n)}
	for _, l := range m.links {
		last := &m.trace.Spans[n-1]
		last.Links = append(last.Links, spans.Link{Trace: l})
	}
	return m.trace
}

// harness offers what it makes, and checks the account after each step.
type harness struct {
	*Sampler
	t    *testing.T
	now  time.Duration
	got  map[spans.TraceID][]*spans.Trace
	full bool // the queue: Export refuses
}

func start(t *testing.T, o Options) *harness {
	h := &harness{t: t, now: time.Hour, got: map[spans.TraceID][]*spans.Trace{}}
	o.Export = func(tr *spans.Trace) bool {
		if h.full {
			return false
		}
		h.got[tr.ID] = append(h.got[tr.ID], tr)
		return true
	}
	h.Sampler = New(o)
	return h
}

// option changes the request that offer makes.
type option func(*made)

func of(topic string) option     { return func(m *made) { m.sum.Topic = topic } }
func cause(c spans.Cause) option { return func(m *made) { m.sum.Cause = c } }
func root(c spans.Cause) option  { return func(m *made) { m.sum.RootCause = c } }
func failed(m *made)             { m.sum.Failed = true }
func explains(m *made)           { m.sum.Explains = true }
func event(m *made)              { m.sum.Request, m.sum.Explains = false, true }
func void(m *made)               { m.spans = -1 }

func links(ns ...uint64) option {
	return func(m *made) {
		for _, n := range ns {
			m.links = append(m.links, id(n))
		}
	}
}

// offer makes a request that ends now.
func (h *harness) offer(n uint64, latency time.Duration, options ...option) *made {
	h.t.Helper()
	m := &made{sum: spans.Summary{ID: id(n), Name: "produce", Latency: latency, Request: true}}
	m.sum.Start = int64(h.now - latency)
	for _, o := range options {
		o(m)
	}
	h.Offer(m)
	h.balanced()
	return m
}

// pass lets time pass.
func (h *harness) pass(d time.Duration) {
	h.t.Helper()
	h.now += d
	h.Tick(int64(h.now))
	h.balanced()
}

func (h *harness) balanced() {
	h.t.Helper()
	s := h.Stats()
	for _, a := range []Account{s.All, s.Requests} {
		if a.Seen != a.Kept()+a.Dropped()+a.Pending {
			h.t.Fatalf("seen ≠ kept + dropped + pending: %+v", a)
		}
	}
	exported, over := uint64(0), uint64(0)
	for _, ts := range h.got {
		exported += uint64(len(ts))
	}
	for _, n := range s.OverBudget {
		over += n
	}
	if exported != s.All.Kept() || over != s.All.By[OverBudget] {
		h.t.Fatalf("exported %d, over budget %d: %+v", exported, over, s)
	}
}

// expect says which traces were exported, each once.
func (h *harness) expect(ns ...uint64) {
	h.t.Helper()
	for _, n := range ns {
		if len(h.got[id(n)]) != 1 {
			h.t.Errorf("trace %d exported %d times", n, len(h.got[id(n)]))
		}
	}
	if len(h.got) != len(ns) {
		h.t.Errorf("%d traces exported, not %d", len(h.got), len(ns))
	}
}

// fates says what became of requests.
func (h *harness) fates(want map[Fate]uint64) {
	h.t.Helper()
	s := h.Stats()
	for f := range Fate(Fates) {
		if s.Requests.By[f] != want[f] {
			h.t.Errorf("%d requests %s, not %d", s.Requests.By[f], f, want[f])
		}
	}
}

// state is the tracestate of a trace that was exported.
func (h *harness) state(n uint64) string {
	h.t.Helper()
	if len(h.got[id(n)]) != 1 {
		h.t.Fatalf("trace %d exported %d times", n, len(h.got[id(n)]))
	}
	return h.got[id(n)][0].State
}
