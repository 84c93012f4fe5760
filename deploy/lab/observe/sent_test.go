package observe

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// sent are the traces of the recording, as they went to the Collector.
type sent struct {
	all  []*spans.Trace
	byID map[spans.TraceID]*spans.Trace
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
