package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

const (
	sec = int64(time.Second)
	ms  = int64(time.Millisecond)
	at0 = 1_795_000_000 * sec
)

// candidateOf is a trace that is made up; built counts how often it was built.
type candidateOf struct {
	id      spans.TraceID
	request bool
	start   int64
	ns      int64
	links   []spans.TraceID
	built   *int
}

func (c *candidateOf) Summary() spans.Summary {
	return spans.Summary{ID: c.id, Request: c.request, Start: c.start, Latency: time.Duration(c.ns), Topic: "t", RootCause: spans.CauseCommit}
}

func (c *candidateOf) BuildTrace() *spans.Trace {
	if c.built != nil {
		*c.built++
	}
	t := &spans.Trace{ID: c.id, Spans: []spans.Span{{ID: c.id.Child("root"), Name: "produce t", Start: c.start, End: c.start + c.ns}}}
	for _, to := range c.links {
		t.Spans[0].Links = append(t.Spans[0].Links, spans.Link{Trace: to, Span: to.Child("root"),
			Attributes: []attribute.KeyValue{attribute.String(spans.KeyLinkKind, spans.LinkHolder)}})
	}
	return t
}

func traceID(n int) spans.TraceID { return spans.EventID("c", 1, "t", uint64(n), 0) }

// finish hands over a request as the assembler does: its row, then its trace.
func finish(c *Collector, n int, start, ns int64, links ...spans.TraceID) *int {
	built := new(int)
	end := start + ns
	c.Request(&assemble.RequestRow{Arrival: start, End: &end, Latency: &ns, TraceID: traceID(n).String(), RootCause: "jbd2.commit",
		Partitions: []assemble.RequestPartition{{Topic: "t", Bytes: 1, Records: 1}}})
	c.Trace(&candidateOf{id: traceID(n), request: true, start: start, ns: ns, links: links, built: built})
	return built
}

// What a slow request links to is kept, whichever comes first, up to maxHops; what
// nobody links to is never built.
func TestKeepsWhatIsLinked(t *testing.T) {
	c := New(Options{SLO: 10 * time.Millisecond})
	quick := finish(c, 1, at0, ms)                                              // before who links to it
	finish(c, 2, at0, 20*ms, traceID(1), traceID(3))                            // slow
	later := finish(c, 3, at0, 2*ms, traceID(4))                                // after it
	c.Trace(&candidateOf{id: traceID(4), start: at0, ns: sec, built: new(int)}) // no request; a hop more
	nobody := finish(c, 5, at0, 3*ms)
	if *quick != 1 || *later != 1 || *nobody != 0 {
		t.Errorf("built %d, %d, %d times", *quick, *later, *nobody)
	}
	p := c.Page("")
	if len(p.Traces) != 4 || p.Slow.Count != 1 || !p.Traces[0].Slow || p.Traces[1].Slow {
		t.Errorf("%+v", p.Traces)
	}
	chain := New(Options{SLO: 10 * time.Millisecond})
	for n := 100; n > 1; n-- {
		finish(chain, n, at0, ms, traceID(n+1))
	}
	finish(chain, 1, at0, 20*ms, traceID(2))
	if n := len(chain.Page("").Traces); n != maxHops+1 {
		t.Errorf("%d traces of a chain", n)
	}
}

// Slow requests that touch, but for a gap, are one incident, in whatever order they
// come; those apart are not.
func TestIncidentsJoin(t *testing.T) {
	type one struct{ start, ns int64 }
	a, b, bridge, far := one{0, 100 * ms}, one{300 * ms, 100 * ms}, one{120 * ms, 150 * ms}, one{sec, 70 * ms}
	for name, order := range map[string][]one{"in order": {a, bridge, b, far}, "late bridge": {far, b, a, bridge}, "back": {far, b, bridge, a}} {
		c := New(Options{SLO: 65 * time.Millisecond})
		for i, x := range order {
			finish(c, i, at0+x.start, x.ns)
		}
		p := c.Page("")
		if len(p.Incidents) != 2 {
			t.Errorf("%s: %+v", name, p.Incidents)
			continue
		}
		x := &p.Incidents[0]
		if x.Start != 0 || x.Length != 400*ms || x.Count != 3 || x.Lost != 155*ms || x.Max != 150*ms || len(x.Requests) != 3 || x.Causes[0].Count != 3 {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

// An append of which no request was read is slow by itself, and not a request.
func TestAppendsWithoutRequests(t *testing.T) {
	c := New(Options{SLO: 65 * time.Millisecond})
	c.Trace(&candidateOf{id: traceID(1), request: true, start: at0, ns: 100 * ms})
	c.Trace(&candidateOf{id: traceID(2), request: true, start: at0, ns: ms})
	p := c.Page("")
	if p.Requests.Count != 0 || p.Appends.Count != 2 || p.Slow.Count != 0 || p.SlowAppend.Count != 1 || len(p.Incidents) != 1 || p.Incidents[0].Appends != 1 || len(p.Traces) != 1 {
		t.Errorf("%+v", p)
	}
	brief := New(Options{SLO: 65 * time.Millisecond, Brief: true})
	brief.Trace(&candidateOf{id: traceID(1), request: true, start: at0, ns: 100 * ms})
	if r := Compare("", []string{"tls"}, []*Collector{brief}).Recordings[0]; r.Of != "appends" || r.Share.Share != 1 || r.Latency.Count != 1 {
		t.Errorf("%+v", r)
	}
}

// However much comes, what is kept is bounded, and what is counted is all of it.
func TestBounds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	c := New(Options{SLO: 65 * time.Millisecond})
	feed := func(from, to int) {
		for i := from; i < to; i++ {
			at := at0 + int64(i)*sec/10
			if i%20 < 5 { // a stall each two seconds
				at = at0 + int64(i/20)*2*sec
				finish(c, i, at, int64(70+i%97)*ms, traceID(i+1), traceID(i-3))
			} else {
				finish(c, i, at, ms)
			}
			c.Write(&assemble.WriteRow{Start: at, End: at + ms, Latency: ms, PID: 1, TID: int32(i % 20_000), Thread: "t", File: "f"})
			end := at + ms
			c.Request(&assemble.RequestRow{Arrival: at, End: &end, Latency: new(int64), TraceID: "x",
				Partitions: []assemble.RequestPartition{{Topic: fmt.Sprint("topic ", i%10_000)}}})
		}
	}
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	feed(0, 100_000)
	before := heap()
	feed(100_000, 300_000)
	grown := int64(heap()) - int64(before)
	if singly := int64(3 * 200_000 * 8); grown > singly+4<<20 { // latencies are kept one by one so far
		t.Errorf("200,000 more took %d KB, their latencies %d", grown>>10, singly>>10)
	}
	p := c.Page("")
	if len(p.Incidents) != whole.incidents || len(c.keeper.traces) > whole.traces+maxRootsOfOne || len(c.topics) > maxTopics+1 || len(c.threads) > maxThreads+1 ||
		c.incidents.kept > whole.roots+leastRootsOfOne*whole.incidents || len(c.timeline.columns) > maxColumns {
		t.Errorf("%d incidents, %d traces, %d topics, %d threads, %d roots", len(p.Incidents), len(c.keeper.traces), len(c.topics), len(c.threads), c.incidents.kept)
	}
	slow := p.IncidentsDropped.Slow
	for i := range p.Incidents {
		slow.merge(&p.Incidents[i].Slow)
	}
	var topics uint64
	for _, x := range c.topics {
		topics += x.requests
	}
	if slow != p.Slow || p.Slow.Count != 75_000 || p.Requests.Count != 600_000 || topics != 600_000 {
		t.Errorf("%+v in incidents, %+v in all; %d requests, %d by topic", slow, p.Slow, p.Requests.Count, topics)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil || b.Len() > 10_000_000 {
		t.Errorf("the page has %d bytes: %v", b.Len(), err)
	}
	roots := 0
	for _, x := range c.incidents.list {
		roots += len(x.roots)
	}
	if roots != c.incidents.kept {
		t.Errorf("%d roots, counted %d", roots, c.incidents.kept)
	}
}

// A page may be made at any time while rows come in; it is of one moment.
func TestLivePage(t *testing.T) {
	c := New(Options{SLO: 10 * time.Millisecond})
	var feeding sync.WaitGroup
	feeding.Go(func() {
		for i := range 20_000 {
			finish(c, i, at0+int64(i)*ms, int64(1+i%12)*ms, traceID(i-1))
			c.Write(&assemble.WriteRow{Start: at0 + int64(i)*ms, End: at0 + int64(i+1)*ms, Latency: ms, TID: int32(i % 7)})
		}
	})
	for range 20 {
		var b bytes.Buffer
		p := c.Page("")
		if err := p.Write(&b); err != nil {
			t.Fatal(err)
		}
		var cells, slow uint64
		for _, col := range p.Timeline.Columns {
			slow += col.Slow
			for i := 1; i < len(col.Cells[0]); i += 2 {
				cells += col.Cells[0][i]
			}
		}
		if cells != p.Requests.Count || slow != p.Slow.Count {
			t.Fatalf("%d requests in cells of %d, %d slow of %d", cells, p.Requests.Count, slow, p.Slow.Count)
		}
	}
	feeding.Wait()
}

// A page of nothing is a page.
func TestEmptyPage(t *testing.T) {
	c := New(Options{SLO: time.Millisecond})
	var b bytes.Buffer
	if err := c.WritePage(&b, "v"); err != nil || !c.Empty() || !json.Valid(dataOf(t, b.String())) {
		t.Errorf("%v\n%s", err, &b)
	}
	if err := Compare("v", []string{"a", "b"}, []*Collector{c, c}).Write(&b); err != nil {
		t.Error(err)
	}
}

func dataOf(t *testing.T, html string) []byte {
	t.Helper()
	_, rest, _ := strings.Cut(html, `id="data">`)
	data, _, ok := strings.Cut(rest, "</script>")
	if !ok {
		t.Fatal("no data")
	}
	return []byte(data)
}

// Whatever a name is, it does not end the element that it is in.
func TestNamesAreInert(t *testing.T) {
	c := New(Options{SLO: time.Millisecond})
	name := "</script><!--<script>&\u2028\u2029\u202e\x00\xff"
	c.Begin(name)
	finish(c, 1, at0, ms)
	c.Write(&assemble.WriteRow{Thread: name + strings.Repeat("x", 10_000), File: name})
	var b bytes.Buffer
	if err := c.WritePage(&b, name); err != nil {
		t.Fatal(err)
	}
	data := string(dataOf(t, b.String()))
	if strings.ContainsAny(data, "<>&\u2028\u2029\u202e\x00") || strings.Count(b.String(), "</script") != 2 || strings.Contains(data, strings.Repeat("x", 2*maxText)) {
		t.Errorf("the data is %.400s", data)
	}
}

func BenchmarkRequest(b *testing.B) {
	c := New(Options{SLO: 65 * time.Millisecond})
	ns, end := int64(150_000), int64(0)
	r := &assemble.RequestRow{Latency: &ns, End: &end, Partitions: []assemble.RequestPartition{{Topic: "t", Bytes: 1, Records: 1}}}
	b.ReportAllocs()
	for i := range b.N {
		r.Arrival = at0 + int64(i)*100_000
		c.Request(r)
	}
}
