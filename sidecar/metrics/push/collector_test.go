package push

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
)

// collector is a real OTLP server on loopback.
type collector struct {
	collectorpb.UnimplementedMetricsServiceServer
	addr   string
	server *grpc.Server

	mu    sync.Mutex
	calls int
	got   []*metricspb.ResourceMetrics // of the last call
	err   error                        // what it answers
}

func (c *collector) Export(_ context.Context, r *collectorpb.ExportMetricsServiceRequest) (*collectorpb.ExportMetricsServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls++
	if c.err != nil {
		return nil, c.err
	}
	c.got = proto.Clone(r).(*collectorpb.ExportMetricsServiceRequest).ResourceMetrics
	return &collectorpb.ExportMetricsServiceResponse{}, nil
}

func (c *collector) answers(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *collector) resources() []*metricspb.ResourceMetrics {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.got
}

// metric is the latest of that name, nil without one.
func (c *collector) metric(name string) *metricspb.Metric {
	for _, r := range c.resources() {
		for _, s := range r.ScopeMetrics {
			for _, m := range s.Metrics {
				if m.Name == name {
					return m
				}
			}
		}
	}
	return nil
}

// listen starts a collector over gRPC at addr ("127.0.0.1:0": anywhere).
func listen(t *testing.T, addr string) *collector {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{addr: l.Addr().String(), server: grpc.NewServer()}
	collectorpb.RegisterMetricsServiceServer(c.server, c)
	go func() { _ = c.server.Serve(l) }()
	t.Cleanup(c.server.Stop)
	return c
}

// listenHTTP starts one over HTTP.
func listenHTTP(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		req := &collectorpb.ExportMetricsServiceRequest{}
		if err != nil || r.URL.Path != "/v1/metrics" || proto.Unmarshal(body, req) != nil {
			http.Error(w, "what is this", http.StatusBadRequest)
			return
		}
		if _, err := c.Export(r.Context(), req); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
		}
	}))
	t.Cleanup(s.Close)
	c.addr = s.Listener.Addr().String()
	return c
}

// push starts a pusher of a registry to addr, which logs into the buffer.
func push(t *testing.T, r *prometheus.Registry, addr, protocol string, every time.Duration) (*Pusher, *logBuffer) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+addr)
	t.Setenv("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", protocol)
	t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", strconv.FormatInt(every.Milliseconds(), 10))
	log := &logBuffer{}
	p, err := Start(t.Context(), Options{Registry: r, Version: "v1", Logger: slog.New(slog.NewTextHandler(log, nil)),
		Resource: []attribute.KeyValue{attribute.String("service.name", "kafka"), attribute.Int("tailspan.kafka.broker_id", 1)}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shutdown(p, time.Second) })
	return p, log
}

func shutdown(p *Pusher, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return p.Shutdown(ctx)
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

func label(all []*commonpb.KeyValue, key string) string {
	for _, a := range all {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// logBuffer can be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
