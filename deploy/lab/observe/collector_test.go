package observe

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

const (
	objective   = 65 * time.Millisecond // deploy/collector's threshold_ms
	decidesIn   = 20 * time.Second      // much more than its decision_wait and its batch
	mostOfRest  = 0.10                  // its sampling_percentage is 5, and some have a cause of interest
	leastOfRest = 0.02

	unknownCause = "unknown" // its default for tailspan.root_cause
)

// sent are the traces of the recording, as they went to the Collector.
type sent struct {
	all  []*spans.Trace
	byID map[spans.TraceID]*spans.Trace
}

// TestCollector replays the demo's recording, every trace of it, into a real
// Collector with a Jaeger behind it: what is slow and what is linked to comes
// out whole, and little of the rest.
func TestCollector(t *testing.T) {
	bin := jaegerBinary(t)
	s := trial.Begin(t)
	behind := answering(t, bin, s.Dir)
	f := collect(t, bin, s.Dir, strings.TrimPrefix(behind.Endpoint(), "http://"))
	in := replayed(t, s, f)
	out := settled(t, behind.Client)
	t.Run("whole", func(t *testing.T) { in.mustBeWhole(t, out) })
	t.Run("slow", func(t *testing.T) { in.mustKeepSlow(t, behind.Client, out) })
	t.Run("linked", func(t *testing.T) { in.mustKeepLinked(t, out) })
	t.Run("rest", func(t *testing.T) { in.mustDropRest(t, out) })
	t.Run("spanmetrics", func(t *testing.T) { in.mustBeMeasured(t, f) })
}

// TestCollectorBehindSampling: a Tailspan that samples already, with a lower
// objective, a share of the rest, and what these link to. Of that, the Collector
// keeps everything that links may lead to.
func TestCollectorBehindSampling(t *testing.T) {
	bin := jaegerBinary(t)
	s := trial.Begin(t)
	direct := answering(t, bin, filepath.Join(s.Dir, "direct"))
	behind := answering(t, bin, filepath.Join(s.Dir, "behind"))
	f := collect(t, bin, s.Dir, strings.TrimPrefix(behind.Endpoint(), "http://"))
	for _, to := range []string{direct.Endpoint(), "http://" + f.otlp} {
		r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay.log"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + to}, nil,
			"replay", "--slo", "6ms", "--keep-share", "0.2", "--max-spans-rate", "0", recording(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	in, out := settled(t, direct.Client), settled(t, behind.Client)
	linked, fast, stubs, share, kept := 0, 0, 0, 0, 0
	for id, tr := range in {
		root := tr.Root()
		switch th := root.Tag("w3c.tracestate"); {
		case th == "":
			linked++
			if root.Tag(spans.KeyStub) != "" {
				stubs++
			}
			if root.Duration < objective.Microseconds() {
				fast++
			}
			if out[id] == nil {
				t.Errorf("%s (%s), which was kept for others, is gone", id, root.Name)
			}
		case th != "ot=th:0":
			share++
			if out[id] != nil {
				kept++
			}
		}
	}
	t.Logf("%d of %d traces have no probability, %d of these took less than %s, %d are stubs; of a share of %d %d are kept",
		linked, len(in), fast, objective, stubs, share, kept)
	if fast == 0 || stubs == 0 || share == 0 || kept > share/5 {
		t.Error("that is no test, or no sampling")
	}
}

// replayed sends all of the recording, and says what it was.
func replayed(t *testing.T, s trial.Session, f *fleet) *sent {
	t.Helper()
	in := &sent{byID: map[spans.TraceID]*spans.Trace{}}
	line := func(b []byte) error {
		tr, err := tailspan.ParseTrace(b)
		if err != nil {
			return err
		}
		in.all = append(in.all, tr)
		in.byID[tr.ID] = tr
		return nil
	}
	r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay.log"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + f.otlp}, line,
		"replay", "--slo", "0", "--print", "traces", "--format", "jsonl", recording(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(in.all) < 1000 {
		t.Fatalf("the recording has %d traces", len(in.all))
	}
	return in
}

// settled waits until no more traces come out, and gives those that did.
func settled(t *testing.T, c jaeger.Client) map[string]*jaeger.Trace {
	t.Helper()
	out := map[string]*jaeger.Trace{}
	for end := time.Now().Add(decidesIn); time.Now().Before(end); time.Sleep(3 * time.Second) {
		traces, err := c.Find(t.Context(), jaeger.Query{Service: "kafka", Limit: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		before := len(out)
		for i := range traces {
			out[traces[i].ID] = &traces[i]
		}
		if before > 0 && len(out) == before {
			break
		}
	}
	return out
}

// mustBeWhole: no trace lost a span on the way, and none is made up.
func (in *sent) mustBeWhole(t *testing.T, out map[string]*jaeger.Trace) {
	for id, tr := range out {
		var want spans.TraceID
		if err := tailspan.ParseID(want[:], id); err != nil {
			t.Fatal(err)
		}
		if w := in.byID[want]; w == nil || len(w.Spans) != len(tr.Spans) {
			t.Errorf("trace %s came out with %d spans", id, len(tr.Spans))
		}
	}
}

// mustKeepSlow: all of them, and from each the links lead somewhere.
func (in *sent) mustKeepSlow(t *testing.T, c jaeger.Client, out map[string]*jaeger.Trace) {
	slow, links := 0, 0
	for _, tr := range in.all {
		if length(tr) < objective {
			continue
		}
		slow++
		got := out[tr.ID.String()]
		if got == nil {
			t.Errorf("%s, which took %s, is gone", tr.ID, length(tr))
			continue
		}
		for _, err := range c.CheckLinks(t.Context(), got) {
			t.Error(err)
		}
		for i := range tr.Spans {
			links += len(tr.Spans[i].Links)
		}
	}
	t.Logf("%d of %d traces took %s or more; %d links lead from them", slow, len(in.all), objective, links)
	if slow == 0 || links == 0 {
		t.Error("that is no test")
	}
}

// mustKeepLinked: whatever held somebody up is kept, however fast it was itself.
func (in *sent) mustKeepLinked(t *testing.T, out map[string]*jaeger.Trace) {
	linked, fast := 0, 0
	for _, tr := range in.all {
		if !explains(tr) {
			continue
		}
		linked++
		if length(tr) < objective {
			fast++
		}
		if out[tr.ID.String()] == nil {
			t.Errorf("%s (%s), which others link to, is gone", tr.ID, tr.Root().Name)
		}
	}
	t.Logf("%d traces explain others, %d of them took less than %s", linked, fast, objective)
	if fast == 0 {
		t.Error("that is no test")
	}
}

// explains says that others waited for what is in a trace, or that it is there
// for links to lead to.
func explains(tr *spans.Trace) bool {
	switch root := tr.Root(); root.Name {
	case spans.NameJournalCommit, spans.NameBrokerWrite, spans.NameBrokerFsync, spans.NameLockHold:
		return true
	default:
		return number(root, spans.KeyBlockedRequests) > 0
	}
}

// mustDropRest: of what is neither little comes out, yet something.
func (in *sent) mustDropRest(t *testing.T, out map[string]*jaeger.Trace) {
	rest, kept := 0, 0
	for _, tr := range in.all {
		if length(tr) >= objective || explains(tr) {
			continue
		}
		rest++
		if out[tr.ID.String()] != nil {
			kept++
		}
	}
	t.Logf("of %d others %d are kept: %.1f %%", rest, kept, 100*float64(kept)/float64(rest))
	if share := float64(kept) / float64(rest); share < leastOfRest || share > mostOfRest {
		t.Errorf("%.3f of the rest is kept", share)
	}
}

// mustBeMeasured: the connector counts the requests that arrived, all of them and
// each once, under their topic and root cause.
func (in *sent) mustBeMeasured(t *testing.T, f *fleet) {
	want, roots := 0, map[string]bool{}
	for _, tr := range in.all {
		if tr.Root().Kind == spans.Server {
			want++
			roots[cmp.Or(text(tr.Root(), spans.KeyRootCause), unknownCause)] = true
		}
	}
	var got float64
	var lines []string
	for end := time.Now().Add(decidesIn); time.Now().Before(end) && got < float64(want); time.Sleep(time.Second) {
		got, lines = 0, metricLines(page(t, f.spanmetrics), "tailspan_fleet_calls_total")
		for _, line := range lines {
			var n float64
			if _, err := fmt.Sscan(line[strings.LastIndexByte(line, ' ')+1:], &n); err != nil {
				t.Fatal(err)
			}
			got += n
		}
	}
	if got != float64(want) {
		t.Errorf("%v requests counted, want %d, in %q", got, want, lines)
	}
	for cause := range roots {
		if !strings.Contains(strings.Join(lines, "\n"), fmt.Sprintf(`tailspan_root_cause=%q`, cause)) {
			t.Errorf("no count for root cause %q", cause)
		}
	}
	t.Logf("%d series for %d requests", len(lines), want)
}

func length(tr *spans.Trace) time.Duration { return time.Duration(tr.Root().End - tr.Root().Start) }

func number(s *spans.Span, key string) int64 { return value(s, key).AsInt64() }
func text(s *spans.Span, key string) string  { return value(s, key).AsString() }

func value(s *spans.Span, key string) attribute.Value {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value
		}
	}
	return attribute.Value{}
}
