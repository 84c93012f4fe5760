package sidecar

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/sidecar/report/view"
	"github.com/tailspan/tailspan/spans"
)

// whole is a finished request, of which a trace is built.
type whole struct {
	start   int64
	latency time.Duration
	built   *int
}

func (w *whole) Summary() spans.Summary { return spans.Summary{Start: w.start, Latency: w.latency} }

func (w *whole) BuildTrace() *spans.Trace {
	*w.built++
	return &spans.Trace{Spans: []spans.Span{{Start: w.start, End: w.start + int64(w.latency)}}}
}

const viewSLO = 65 * time.Millisecond

// viewed measures as a run with a live view does.
func viewed() *measures {
	m := metrics.New(metrics.Options{SLO: func(string) time.Duration { return viewSLO }})
	return &measures{Metrics: m, view: &liveView{state: view.State{Measured: &view.History{}}}}
}

// asked is a request that took d.
func asked(d time.Duration, built *int) *assemble.RequestMeasure {
	return &assemble.RequestMeasure{Broker: 1, Latency: d, Cause: spans.CauseCommit, RootCause: spans.CauseCommit,
		Topics: []assemble.TopicMeasure{{Topic: "orders", Partitions: 1, Bytes: 1900, Records: 8}}, Trace: &whole{start: 1, latency: d, built: built}}
}

// The view is told of requests that the metrics count as slow, and of no others;
// measuring allocates nothing, of slow ones neither.
func TestViewIsToldOfSlowRequests(t *testing.T) {
	m, built := viewed(), 0
	quick, slow := asked(viewSLO-1, &built), asked(viewSLO, &built)
	m.MeasureRequest(quick)
	if all := m.view.stalls.Last(9); len(all) != 0 {
		t.Errorf("a quick one: %+v", all)
	}
	if n := testing.AllocsPerRun(100, func() { m.MeasureRequest(quick); m.MeasureRequest(slow) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	var sums metrics.Totals
	m.Totals(&sums)
	all := m.view.stalls.Last(9)
	if len(all) != 1 || all[0].Requests != sums.Slow[spans.CauseCommit] || all[0].Slowest.Latency != viewSLO || built != 1 {
		t.Errorf("%+v of %v, %d built", all, sums.Slow, built)
	}
	none := &measures{Metrics: m.Metrics}
	none.MeasureRequest(slow) // without a view
}

func BenchmarkMeasureWithView(b *testing.B) {
	for name, d := range map[string]time.Duration{"quick": time.Millisecond, "slow": viewSLO} {
		b.Run(name, func(b *testing.B) {
			m, built := viewed(), 0
			r := asked(d, &built)
			b.ReportAllocs()
			for b.Loop() {
				m.MeasureRequest(r)
			}
		})
	}
}
