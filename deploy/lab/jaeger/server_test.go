package jaeger

import (
	"bytes"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/listeners"
	"github.com/tailspan/tailspan/deploy/lab/story"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/otlp"
)

// progress writes to the test's log.
type progress struct{ *testing.T }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// binary is Jaeger's, built now only as root: it takes minutes.
func binary(t *testing.T) string {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := Path(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil && os.Geteuid() != 0 {
		t.Skip("Jaeger is not built yet, which takes minutes (as root the test builds it)")
	}
	if path, err = Build(t.Context(), dir, progress{t}); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestServer sends two linked traces to a real Jaeger and asks for them.
func TestServer(t *testing.T) {
	bin := binary(t)
	ports, err := FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), bin, t.TempDir(), ports)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}()
	mustBeLocal(t, s.PID())
	sent := linked()
	upload(t, ports, sent...)
	for _, want := range sent {
		got := await(t, s.Client, want.ID)
		if wrong := append(got.Check(), s.CheckLinks(t.Context(), got)...); len(wrong) > 0 {
			t.Error(wrong)
		}
		mustEqual(t, want, got)
	}
	gone := Reference{TraceID: sent[0].ID.String(), SpanID: "00000000000000aa"}
	if _, err := s.Follow(t.Context(), gone); err == nil {
		t.Error("a link to a span that is not there was resolved")
	}
}

func mustBeLocal(t *testing.T, pid int) {
	t.Helper()
	addrs, err := listeners.Of(pid)
	if err != nil || len(addrs) == 0 {
		t.Fatalf("listens on %v, %v", addrs, err)
	}
	for _, a := range addrs {
		if !a.Addr().IsLoopback() {
			t.Errorf("listens on %s", a)
		}
	}
}

func upload(t *testing.T, p Ports, traces ...*spans.Trace) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", p.Endpoint())
	e, err := otlp.New(t.Context(), otlp.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range traces {
		if !e.Export(tr) {
			t.Fatal("not accepted")
		}
	}
	if err := e.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func await(t *testing.T, c Client, id spans.TraceID) *Trace {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got, err := c.Trace(t.Context(), id.String())
		if err == nil {
			return got
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func mustEqual(t *testing.T, want *spans.Trace, answer *Trace) {
	t.Helper()
	got, err := answer.Convert()
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Spans) != len(want.Spans) {
		t.Fatalf("%d spans, want %d", len(got.Spans), len(want.Spans))
	}
	// Jaeger gives spans that begin together in any order.
	slices.SortFunc(got.Spans, func(a, b spans.Span) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for i := range want.Spans {
		g, w := got.Spans[i], want.Spans[i]
		if g.ID != w.ID || g.Parent != w.Parent || g.Name != w.Name || g.Kind != w.Kind ||
			g.Start != w.Start || g.End != w.End || len(g.Links) != len(w.Links) {
			t.Errorf("got %+v, want %+v", g, w)
		}
	}
	if story.FindDirect(got) == nil && story.FindDirect(want) != nil {
		t.Error("the story is lost on the way")
	}
}

// linked are a request that waited for a commit and one that waited for it.
func linked() []*spans.Trace {
	res := otlp.BrokerResource(otlp.Broker{Cluster: "lab", Node: 1, PID: int32(os.Getpid()), IP: netip.MustParseAddr("127.0.0.1")})
	now := time.Now().Truncate(time.Microsecond).UnixNano()
	id := func(n byte) spans.SpanID { return spans.SpanID{7: n} }
	span := func(n, parent byte, name string) spans.Span {
		s := spans.Span{ID: id(n), Name: name, Start: now, End: now + int64(400*time.Millisecond)}
		if parent != 0 {
			s.Parent = id(parent)
		} else {
			s.Kind = spans.Server
		}
		return s
	}
	a := &spans.Trace{ID: spans.TraceID{15: 1}, Resource: res, Spans: []spans.Span{
		span(1, 0, "produce t"), span(2, 1, spans.NameWrite), span(3, 2, spans.NameExt4DirtyInode), span(4, 3, spans.NameJBD2Commit)}}
	b := &spans.Trace{ID: spans.TraceID{15: 2}, Resource: res, Spans: []spans.Span{
		span(11, 0, "produce t"), span(12, 11, spans.NameMonitorWait)}}
	b.Spans[1].Links = []spans.Link{{Trace: a.ID, Span: a.Spans[1].ID}}
	return []*spans.Trace{a, b}
}
