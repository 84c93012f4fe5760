package observe

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/prometheus"
	"github.com/tailspan/tailspan/spans"
)

// promises are the histograms of which an exemplar promises a span.
var promises = []struct {
	metric string
	span   string // "": the root
}{
	{"tailspan_produce_duration_seconds", ""},
	{"tailspan_write_duration_seconds", spans.NameWrite},
	{"tailspan_ext4_dirty_inode_duration_seconds", spans.NameExt4DirtyInode},
	{"tailspan_monitor_wait_duration_seconds", spans.NameMonitorWait},
	{"tailspan_journal_commit_duration_seconds", spans.NameJournalCommit},
}

// jaegerHasIt is what a trace takes from the exporter's queue into Jaeger, and more.
const jaegerHasIt = 15 * time.Second

// checkExemplars follows whatever exemplars came with the histograms: each leads to
// a trace that has what it promises. It returns those of slow requests.
func (s *stage) checkExemplars(t *testing.T, p *prometheus.Server, suffix string) (slow []*jaeger.Trace) {
	for _, promise := range promises {
		all, err := p.Exemplars(t.Context(), promise.metric+suffix, s.began, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		followed := 0
		for _, series := range all {
			for _, e := range series.Exemplars {
				tr := s.trace(t, e.Labels["trace_id"])
				if tr == nil {
					continue
				}
				followed++
				if err := kept(tr, promise.span, series.Labels, e); err != nil {
					t.Errorf("%s: %v", promise.metric, err)
				}
				if promise.span == "" && e.Value >= objective.Seconds() {
					slow = append(slow, tr)
				}
			}
		}
		t.Logf("%s: %d exemplars followed", promise.metric, followed)
		if followed == 0 {
			t.Errorf("%s has no exemplar", promise.metric)
		}
	}
	return slow
}

// mustFollowSlow: exemplars lead to what the dashboard is for, requests that were
// slow because of a commit; and from these the links lead on.
func (s *stage) mustFollowSlow(t *testing.T, slow []*jaeger.Trace) {
	commits, links, stubs := 0, 0, 0
	for _, tr := range slow {
		if tr.Root().Tag(spans.KeyRootCause) == string(spans.CauseCommit) {
			commits++
		}
		for i := range tr.Spans {
			for _, l := range tr.Spans[i].Links() {
				links++
				to := s.trace(t, l.TraceID)
				switch {
				case to == nil:
				case to.Root().Tag(spans.KeyStub) != "": // its root alone
					stubs++
				case to.Span(l.SpanID) == nil:
					t.Errorf("%s links from %s to span %s of %s, which is not there", tr.ID, tr.Spans[i].Name, l.SpanID, l.TraceID)
				}
			}
		}
	}
	t.Logf("%d of the exemplars are of slow requests, %d of these because of a commit; %d links lead on from them, %d to stubs", len(slow), commits, links, stubs)
	if commits == 0 || links == 0 {
		t.Error("no exemplar is of a request that was slow because of a commit")
	}
}

// trace asks for one, which may be on its way.
func (s *stage) trace(t *testing.T, id string) *jaeger.Trace {
	t.Helper()
	for end := time.Now().Add(jaegerHasIt); ; time.Sleep(200 * time.Millisecond) {
		tr, err := s.jaeger.Trace(t.Context(), id)
		if err == nil {
			return tr
		}
		if time.Now().After(end) {
			t.Errorf("an exemplar leads nowhere: %v", err)
			return nil
		}
	}
}

// kept says whether the trace keeps an exemplar's promise: a span of the name, and
// as long; of a request, its topic too.
func kept(tr *jaeger.Trace, span string, labels map[string]string, e prometheus.Exemplar) error {
	if wrong := tr.Check(); len(wrong) > 0 {
		return wrong[0]
	}
	root := tr.Root()
	if span != "" {
		if !slices.ContainsFunc(tr.Spans, func(s jaeger.Span) bool { return s.Name == span && asLong(&s, e.Value) }) {
			return fmt.Errorf("trace %s has no %s of %v s", tr.ID, span, e.Value)
		}
		return nil
	}
	if !asLong(root, e.Value) {
		return fmt.Errorf("trace %s took %d µs, the exemplar says %v s", tr.ID, root.Duration, e.Value)
	}
	if topic := root.Tag(spans.KeyDestination); topic != labels["topic"] && labels["topic"] != "(several)" {
		return fmt.Errorf("trace %s is of topic %q, the exemplar of %q", tr.ID, topic, labels["topic"])
	}
	return nil
}

// asLong: Jaeger cuts to whole microseconds.
func asLong(s *jaeger.Span, seconds float64) bool {
	return math.Abs(float64(s.Duration)-seconds*1e6) <= 2
}
