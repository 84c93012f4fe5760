package push

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/spans"
)

const (
	ms   = time.Millisecond
	long = 3600000 * ms // never within a test
)

// measured are Metrics of which all is known.
func measured() (*metrics.Metrics, []time.Duration) {
	m := metrics.New(metrics.Options{Version: "v1", SLO: func(string) time.Duration { return 65 * ms }})
	durations := []time.Duration{200, ms, 1100 * time.Microsecond, 80 * ms, 90 * ms, 3 * time.Second}
	for _, d := range durations {
		m.Request(&metrics.Request{Broker: 1, Latency: d, Cause: spans.CauseWrite, RootCause: spans.CauseCommit,
			Topics: []metrics.TopicPart{{Topic: "orders", Partitions: 1, Bytes: 1000, Records: 10}}})
	}
	m.Request(&metrics.Request{Broker: 1, Latency: ms, Topics: []metrics.TopicPart{{Topic: "payments"}}})
	m.Write(&metrics.Write{Broker: 1, Duration: 79 * ms})
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC).UnixNano()
	m.Kept(&spans.Trace{ID: spans.TraceID{1, 2, 3, 15: 9},
		Resource: &spans.Resource{Attributes: []attribute.KeyValue{attribute.Int("tailspan.kafka.broker_id", 1)}},
		Spans: []spans.Span{{Name: "produce orders", Kind: spans.Server, Start: start, End: start + int64(80*ms),
			Attributes: []attribute.KeyValue{attribute.String(spans.KeyDestination, "orders")}}}})
	m.Account(func() metrics.Account {
		return metrics.Account{Seen: 7, Exported: 1, SampledOut: 6, Probes: []metrics.Probe{{Name: "fs.write", Backend: "fentry", Up: true}}}
	})
	return m, durations
}

func TestAllArrives(t *testing.T) {
	for protocol, c := range map[string]*collector{"grpc": listen(t, "127.0.0.1:0"), "http/protobuf": listenHTTP(t)} {
		m, durations := measured()
		p, log := push(t, m.Registry(), c.addr, protocol, long)
		if err := shutdown(p, 10*time.Second); err != nil {
			t.Fatal(protocol, err)
		}
		if len(c.resources()) != 1 || log.String() != "" {
			t.Fatalf("%s: %d resources; %s", protocol, len(c.resources()), log)
		}
		r := c.resources()[0]
		if label(r.Resource.Attributes, "service.name") != "kafka" || r.ScopeMetrics[0].Scope.Name != scopeName {
			t.Errorf("%s: %v %v", protocol, r.Resource, r.ScopeMetrics[0].Scope)
		}
		h := c.metric("tailspan_produce_duration_seconds")
		points := h.GetExponentialHistogram().GetDataPoints()
		if len(points) != 2 || h.Unit != "s" {
			t.Fatalf("%s: %v", protocol, h)
		}
		i := slices.IndexFunc(points, func(x *metricspb.ExponentialHistogramDataPoint) bool { return label(x.Attributes, "topic") == "orders" })
		equal(t, points[i], durations)
		numbers(t, c)
	}
}

// equal compares a histogram with what was put in.
func equal(t *testing.T, h *metricspb.ExponentialHistogramDataPoint, in []time.Duration) {
	t.Helper()
	sum, want := time.Duration(0), map[int32]uint64{}
	for _, d := range in {
		sum += d
		if d > time.Microsecond {
			want[int32(math.Ceil(math.Log2(d.Seconds())*8))-1]++ // OTLP names a bucket by its lower bound
		}
	}
	got, zero := map[int32]uint64{}, uint64(len(in))
	for i, n := range h.Positive.BucketCounts {
		if n > 0 {
			got[h.Positive.Offset+int32(i)] = n
			zero -= n
		}
	}
	if h.Count != uint64(len(in)) || h.GetSum() != float64(sum)/1e9 || h.Scale != 3 || h.ZeroCount != zero || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v\nwant %v in %v", h, want, sum)
	}
	if label(h.Attributes, "broker") != "1" || h.StartTimeUnixNano == 0 {
		t.Errorf("%v", h)
	}
	if len(h.Exemplars) != 1 {
		t.Fatalf("exemplars: %v", h.Exemplars)
	}
	e := h.Exemplars[0]
	if string(e.TraceId) != string([]byte{1, 2, 3, 15: 9}) || e.GetAsDouble() != 0.08 || len(e.FilteredAttributes) != 0 ||
		!time.Unix(0, int64(e.TimeUnixNano)).Equal(time.Date(2026, 11, 30, 12, 0, 0, int(80*ms), time.UTC)) {
		t.Errorf("exemplar: %v", e)
	}
}

func numbers(t *testing.T, c *collector) {
	t.Helper()
	for name, want := range map[string]float64{"requests_seen_total": 7, "requests_exported_total": 1, "requests_sampled_out_total": 6, "slow_requests_total": 3} {
		s := c.metric("tailspan_" + name).GetSum()
		if !s.GetIsMonotonic() || s.AggregationTemporality != metricspb.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE ||
			len(s.DataPoints) != 1 || s.DataPoints[0].GetAsDouble() != want {
			t.Errorf("%s: %v", name, s)
		}
	}
	for name, want := range map[string]float64{"requests_pending": 0, "probe_up": 1, "write_duration_max_seconds": 0.079} {
		g := c.metric("tailspan_" + name).GetGauge()
		if len(g.GetDataPoints()) != 1 || g.DataPoints[0].GetAsDouble() != want {
			t.Errorf("%s: %v", name, g)
		}
	}
	if c.metric("process_resident_memory_bytes").GetUnit() != "By" {
		t.Error("no memory")
	}
}

func TestPushesAgainAndAgain(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	m, _ := measured()
	push(t, m.Registry(), c.addr, "grpc", 20*ms)
	eventually(t, "a second push that counts the first", func() bool {
		s := c.metric("tailspan_metrics_pushes_total").GetSum()
		return s != nil && s.DataPoints[0].GetAsDouble() >= 2
	})
}

// TestCollectorAway: starting does not fail, it is said once, and what was
// counted meanwhile arrives when the collector is there.
func TestCollectorAway(t *testing.T) {
	gone := listen(t, "127.0.0.1:0")
	gone.server.Stop()
	m, durations := measured()
	p, log := push(t, m.Registry(), gone.addr, "grpc", 20*ms)
	eventually(t, "some pushes", func() bool { return counted(t, m, "tailspan_metrics_push_failures_total") >= 3 })
	c := listen(t, gone.addr)
	eventually(t, "the collector is found", func() bool { return c.metric("tailspan_produce_duration_seconds") != nil })
	if err := shutdown(p, 10*time.Second); err != nil {
		t.Error(err)
	}
	if n := c.metric("tailspan_produce_duration_seconds").GetExponentialHistogram().DataPoints[0].Count; n != uint64(len(durations)) {
		t.Errorf("%d requests", n)
	}
	if s := log.String(); strings.Count(s, "does not take the metrics") != 1 || strings.Count(s, "takes the metrics again") != 1 || strings.Count(s, "\n") != 2 {
		t.Error(s)
	}
}

func counted(t *testing.T, m *metrics.Metrics, name string) float64 {
	t.Helper()
	all, err := m.Registry().Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == name {
			return f.Metric[0].GetCounter().GetValue()
		}
	}
	return -1
}

func TestShutdownWithoutCollector(t *testing.T) {
	gone := listen(t, "127.0.0.1:0")
	gone.server.Stop()
	m, _ := measured()
	p, _ := push(t, m.Registry(), gone.addr, "grpc", long)
	began := time.Now()
	if err := shutdown(p, 5*time.Second); !errors.Is(err, ErrUndelivered) {
		t.Error(err)
	}
	if d := time.Since(began); d > 6*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestHangingCollector: Shutdown keeps to its time.
func TestHangingCollector(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.mu.Lock()
	m, _ := measured()
	p, _ := push(t, m.Registry(), c.addr, "grpc", 10*ms)
	time.Sleep(50 * ms)
	began := time.Now()
	err := shutdown(p, 300*ms)
	c.mu.Unlock()
	if d := time.Since(began); d > 3*time.Second || !errors.Is(err, ErrUndelivered) {
		t.Errorf("%v after %v", err, d)
	}
}

func TestRefusingCollector(t *testing.T) {
	for protocol, c := range map[string]*collector{"grpc": listen(t, "127.0.0.1:0"), "http/protobuf": listenHTTP(t)} {
		c.answers(status.Error(codes.PermissionDenied, "who are you "+strings.Repeat("?", 10000)))
		m, _ := measured()
		p, log := push(t, m.Registry(), "user:s3cret@"+c.addr, protocol, 10*ms)
		eventually(t, "some pushes", func() bool { return counted(t, m, "tailspan_metrics_push_failures_total") >= 3 })
		if err := shutdown(p, 5*time.Second); !errors.Is(err, ErrUndelivered) || strings.Contains(err.Error(), "s3cret") {
			t.Error(protocol, err)
		}
		if s := log.String(); strings.Count(s, "\n") != 1 || strings.Contains(s, "s3cret") || len(s) > 1000 {
			t.Error(protocol, s)
		}
	}
}

// TestBadMetric: one that cannot be collected does not keep the others back.
func TestBadMetric(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	m, _ := measured()
	m.Registry().MustRegister(bad{prometheus.NewDesc("bad", "bad", nil, nil)})
	p, log := push(t, m.Registry(), c.addr, "grpc", long)
	if err := shutdown(p, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	if c.metric("tailspan_produce_duration_seconds") == nil || !strings.Contains(log.String(), "collect metrics") {
		t.Error(log)
	}
}

type bad struct{ desc *prometheus.Desc }

func (b bad) Describe(ch chan<- *prometheus.Desc) { ch <- b.desc }
func (b bad) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(b.desc, errors.New("no"))
}
