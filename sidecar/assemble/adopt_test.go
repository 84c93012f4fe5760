package assemble

import (
	"reflect"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

var producer = event.TraceContext{TraceID: [16]byte{0xaa, 15: 1}, SpanID: [8]byte{0xbb, 7: 2}, Flags: 1}

// shared has all records of a request carry one context.
func shared(e *event.Request, c event.TraceContext) *event.Request {
	e.Contexts, e.ContextShared = []event.TraceContext{c}, true
	return e
}

// told is all that an Assembler put out, in order: of adopted traces several
// have one id.
type told struct {
	*script
	traces []*spans.Trace
}

func (o *told) Trace(c Candidate) {
	sum, tr := c.Summary(), c.BuildTrace()
	sums(o.t, &sum, tr)
	sound(o.t, tr)
	o.traces = append(o.traces, tr)
}

// tellAll plays events to an Assembler that adopts, or one that does not.
func tellAll(t *testing.T, adopt bool, from func() []event.Event) *told {
	o := &told{script: newScript(t)}
	o.o.Output, o.o.AdoptParent = o, adopt
	o.o.Identity = func(int32) Identity {
		return Identity{Cluster: "cluster", Node: 1, Encrypted: true, HeadersFromLog: true}
	}
	o.play(from()...)
	return o
}

// fromCascade is a wait for a write, and a wait for one who waited for it; all
// three requests are of one producer's trace.
func fromCascade() []event.Event {
	a, b, c := shared(aRequest(1, t0, 1, 11), producer), shared(aRequest(2, t0, 1, 12), producer), shared(aRequest(3, t0, 1, 13), producer)
	rb, rc := aResponse(2, t0+505*ms, 12), aResponse(3, t0+520*ms, 14)
	b.Conn, c.Conn, rb.Conn, rc.Conn = 2, 3, 2, 3
	events := []event.Event{a, b, c,
		aWrite(5, t0+ms, t0+500*ms, 10, 11), aRelease(5, t0+501*ms), aResponse(1, t0+502*ms, 10),
		&event.MonitorExit{Time: t0 + 502*ms + 500*us, Thread: aThread(6), Monitor: 0xdef},
		aWrite(6, t0+503*ms, t0+504*ms, 12, 12), rb,
		&event.MonitorEnter{Time: t0 + 3*ms, Thread: aThread(7), Monitor: 0xdef},
		&event.MonitorEntered{Time: t0 + 503*ms, Thread: aThread(7), Monitor: 0xdef},
		aWrite(7, t0+506*ms, t0+507*ms, 14, 13), rc}
	return append(events, aWait(6, t0+2*ms, t0+502*ms)...)
}

// fromPipeline is a request that waits in the socket behind another one.
func fromPipeline() []event.Event {
	second := aResponse(2, t0+120*ms, 12)
	second.Before = t0 + 101*ms + us
	return []event.Event{shared(aRequest(1, t0, 1, 11), producer), aRequest(2, t0+ms, 1, 12),
		aWrite(5, t0+2*ms, t0+100*ms, 10, 11), aResponse(1, t0+101*ms, 10), aWrite(6, t0+110*ms, t0+111*ms, 12, 12), second}
}

// fromRetry is a duplicate: of the same trace, for its records are the same.
func fromRetry() []event.Event {
	return []event.Event{shared(aRequest(1, t0, 1, 11), producer), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10),
		shared(aRequest(2, t0+10*ms, 1, 11), producer), aResponse(2, t0+12*ms, 10)}
}

// fromFsync is a commit that a request's fsync had begun, and a wait for it.
func fromFsync() []event.Event {
	second, response := aRequest(2, t0, 1, 12), aResponse(2, t0+310*ms, 12)
	second.Conn, response.Conn = 2, 2
	return append(append(aCommit(99, t0+5*ms, t0+290*ms, 5), aWait(6, t0+4*ms, t0+301*ms)...),
		shared(aRequest(1, t0, 1, 11), producer), second, aWrite(5, t0+ms, t0+2*ms, 10, 11), anFsync(5, t0+3*ms, t0+300*ms),
		aRelease(5, t0+301*ms), &event.Wake{Time: t0 + 302*ms, Thread: aThread(5)}, aResponse(1, t0+303*ms, 10),
		aWrite(6, t0+305*ms, t0+306*ms, 12, 12), response)
}

// fromAppend is an append whose headers come, and a wait for its write.
func fromAppend() []event.Event {
	held, w := aHandlersWrite(5, t0, t0+100*ms, 10), aHandlersWrite(6, t0+105*ms, t0+106*ms, 12)
	say := func(w *event.Write, at event.Time, c event.TraceContext) event.Event {
		h := headersOf(w, at)
		h.Contexts, h.ContextShared = []event.TraceContext{c}, true
		return h
	}
	other := producer
	other.TraceID[0]++
	return append(aWait(6, t0+ms, t0+101*ms), held, aRelease(5, t0+101*ms), w, say(held, t0+1800*ms, producer), say(w, t0+900*ms, other))
}

// TestAdopt compares what is told with and without: but for the ids of the
// traces, the roots' parents and the producers' links all is the same, all
// links lead somewhere, and no span id is there twice.
func TestAdopt(t *testing.T) {
	for name, k := range map[string]struct {
		from           func() []event.Event
		adopted, links int // links to adopted traces
	}{
		"cascade":  {fromCascade, 3, 2},
		"pipeline": {fromPipeline, 1, 1},
		"retry":    {fromRetry, 2, 1},
		"fsync":    {fromFsync, 1, 2},
		"append":   {fromAppend, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			plain, with := tellAll(t, false, k.from), tellAll(t, true, k.from)
			now := map[spans.TraceID]spans.TraceID{} // by what it would be
			adopted := map[spans.TraceID]bool{}
			n := 0
			if len(plain.traces) != len(with.traces) {
				t.Fatalf("%d and %d traces", len(plain.traces), len(with.traces))
			}
			byRoot := map[spans.SpanID]*spans.Trace{}
			for _, tr := range with.traces {
				byRoot[tr.Root().ID] = tr
				if tr.Adopted {
					adopted[tr.ID] = true
					n++
				}
			}
			for _, tr := range plain.traces {
				now[tr.ID] = byRoot[tr.Root().ID].ID
			}
			if n != k.adopted {
				t.Errorf("%d adopted", n)
			}
			links := 0
			for _, tr := range plain.traces {
				links += sameBut(t, tr, byRoot[tr.Root().ID], now, adopted)
			}
			if links != k.links {
				t.Errorf("%d links to adopted traces", links)
			}
			allLead(t, with.traces)
			sameRows(t, plain, with, now)
		})
	}
}

// sameBut compares a trace with what it became, and counts its links to adopted ones.
func sameBut(t *testing.T, was, is *spans.Trace, now map[spans.TraceID]spans.TraceID, adopted map[spans.TraceID]bool) (n int) {
	t.Helper()
	if !reflect.DeepEqual(was.Places, is.Places) || len(was.Spans) != len(is.Spans) {
		t.Fatalf("%+v became %+v", was, is)
	}
	for i := range was.Spans {
		x, y := was.Spans[i], is.Spans[i]
		if i == 0 && is.Adopted {
			if last := x.Links[len(x.Links)-1]; !last.Remote || last.Trace != is.ID || last.Span != y.Parent {
				t.Errorf("%s has the parent %s of %s, should have %+v", y.Name, y.Parent, is.ID, last)
			}
			x.Links, y.Parent = x.Links[:len(x.Links)-1], spans.SpanID{}
		}
		if len(x.Links) != len(y.Links) {
			t.Fatalf("links of %s: %v, were %v", y.Name, y.Links, x.Links)
		}
		for j := range x.Links {
			l := x.Links[j]
			l.Trace = now[l.Trace]
			if !reflect.DeepEqual(l, y.Links[j]) {
				t.Errorf("a link of %s: %+v instead of %+v", y.Name, y.Links[j], l)
			}
			if adopted[l.Trace] {
				n++
			}
		}
		x.Links, y.Links = nil, nil
		if !reflect.DeepEqual(x, y) {
			t.Errorf("%+v became %+v", x, y)
		}
	}
	return n
}

// allLead says that every link has its end, and every span an id of its own.
func allLead(t *testing.T, all []*spans.Trace) {
	t.Helper()
	in := map[spans.SpanID]spans.TraceID{}
	for _, tr := range all {
		for i := range tr.Spans {
			if s := &tr.Spans[i]; in[s.ID] != (spans.TraceID{}) {
				t.Errorf("the id of %s is there twice", s.Name)
			} else {
				in[s.ID] = tr.ID
			}
		}
	}
	for _, tr := range all {
		for i := range tr.Spans {
			for _, l := range tr.Spans[i].Links {
				if !l.Remote && in[l.Span] != l.Trace {
					t.Errorf("a link of %s leads nowhere: %+v", tr.Spans[i].Name, l)
				}
			}
		}
	}
}

// sameRows compares the rows' ids.
func sameRows(t *testing.T, was, is *told, now map[spans.TraceID]spans.TraceID) {
	t.Helper()
	text := map[string]string{}
	for x, y := range now {
		text[x.String()] = y.String()
	}
	of := func(id *string) string {
		if id == nil {
			return ""
		}
		return *id
	}
	for i, r := range was.requests {
		if is.requests[i].TraceID != text[r.TraceID] {
			t.Errorf("request %d is in %s", r.CorrelationID, is.requests[i].TraceID)
		}
	}
	for i, j := range was.joined {
		if is.joined[i].TraceID != text[j.TraceID] {
			t.Errorf("joined %d is in %s", j.CorrelationID, is.joined[i].TraceID)
		}
	}
	for i, w := range was.waits {
		if x := is.waits[i]; of(x.TraceID) != text[of(w.TraceID)] || of(x.HolderTraceID) != text[of(w.HolderTraceID)] {
			t.Errorf("wait %+v was %+v", x, w)
		}
	}
}

// TestNotAdopted: unless all records are known to share one sampled context, it
// is linked to, as far as it is known.
func TestNotAdopted(t *testing.T) {
	for name, change := range map[string]func(*event.Request){
		"not shared":      func(e *event.Request) { e.ContextShared = false },
		"not sampled":     func(e *event.Request) { e.Contexts[0].Flags = 2 },
		"cut":             func(e *event.Request) { e.HeadersCut = true },
		"more than there": func(e *event.Request) { e.ContextsOmitted = 1 },
		"two":             func(e *event.Request) { e.Contexts = append(e.Contexts, event.TraceContext{TraceID: [16]byte{1}}) },
		"none":            func(e *event.Request) { e.Contexts = nil },
	} {
		o := tellAll(t, true, func() []event.Event {
			e := shared(aRequest(1, t0, 1, 11), producer)
			change(e)
			return []event.Event{e, aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10)}
		})
		if tr := o.traces[0]; tr.Adopted || tr.ID != spans.PlaceID("cluster", [16]byte{}, "orders", 3, 10) || name != "none" && len(tr.Root().Links) == 0 {
			t.Errorf("%s: %+v", name, tr)
		}
	}
}

// TestAppendToldEarly: where somebody had to be told of an append's trace before
// its headers came, it keeps its own id.
func TestAppendToldEarly(t *testing.T) {
	o := &told{script: newScript(t)}
	o.o.Output, o.o.AdoptParent = o, true
	o.o.Identity = func(int32) Identity { return Identity{Cluster: "cluster", Encrypted: true, HeadersFromLog: true} }
	w := aHandlersWrite(5, t0, t0+100*ms, 10)
	h := headersOf(w, t0+900*ms)
	h.Contexts, h.ContextShared = []event.TraceContext{producer}, true
	o.Handle(w)
	o.Tick(t0 + 800*ms)
	r := only(o.asked)
	if r == nil || r.settledID() {
		t.Fatalf("%d appends are asked for", len(o.asked))
	}
	early := r.ids()
	o.Handle(h)
	o.Close()
	tr := o.traces[0]
	if len(o.traces) != 1 || tr.Adopted || tr.ID != early.trace || len(tr.Root().Links) != 1 {
		t.Errorf("told of %s, but it is %+v", early.trace, tr)
	}
}

// only is the one request that is there; nil: none, or several.
func only(asked map[appendKey]*request) (one *request) {
	for _, r := range asked {
		one = r
	}
	if len(asked) != 1 {
		return nil
	}
	return one
}
