package otlp

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/tailspan/tailspan/spans"
)

// collector is a real OTLP server on loopback whose answers a test chooses.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer
	addr   string
	server *grpc.Server

	mu     sync.Mutex
	answer func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error)
	got    []*tracepb.ResourceSpans // of accepted requests
	calls  int
}

func accept(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

func (c *collector) Export(ctx context.Context, r *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	c.calls++
	answer := c.answer
	c.mu.Unlock()
	reply, err := answer(ctx, r)
	if err == nil {
		c.mu.Lock()
		c.got = append(c.got, proto.Clone(r).(*collectorpb.ExportTraceServiceRequest).ResourceSpans...)
		c.mu.Unlock()
	}
	return reply, err
}

func (c *collector) answers(f func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answer = f
}

// traces counts the spans that arrived, by trace id.
func (c *collector) traces() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := map[string]int{}
	for _, rs := range c.got {
		for _, s := range rs.ScopeSpans[0].Spans {
			n[string(s.TraceId)]++
		}
	}
	return n
}

// listen starts a collector at addr ("127.0.0.1:0": anywhere).
func listen(t *testing.T, addr string) *collector {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{addr: l.Addr().String(), server: grpc.NewServer(), answer: accept}
	collectorpb.RegisterTraceServiceServer(c.server, c)
	go func() { _ = c.server.Serve(l) }()
	t.Cleanup(c.server.Stop)
	return c
}

// connect starts an exporter to addr, which logs into the returned buffer.
func connect(t *testing.T, addr string, o Options) (*Exporter, *logBuffer) {
	t.Helper()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+addr)
	log := &logBuffer{}
	o.Logger = slog.New(slog.NewTextHandler(log, nil))
	e, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { flush(e, 0) })
	return e, log
}

func flush(e *Exporter, d time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	return e.Shutdown(ctx)
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) lines(containing string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, containing) {
			n++
		}
	}
	return n
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// balanced checks that no trace is lost without a count.
func balanced(t *testing.T, s Stats) {
	t.Helper()
	all := s.Exported.plus(s.Queued)
	for _, n := range s.Dropped() {
		all = all.plus(n)
	}
	if all != s.Given.plus(s.Restored) {
		t.Errorf("given + restored ≠ exported + dropped + queued: %+v", s)
	}
}

var broker = &spans.Resource{Attributes: []attribute.KeyValue{attribute.String("service.name", "kafka")}}

// fiveSpans is a request like the ones that Tailspan is for.
func fiveSpans(n int) *spans.Trace {
	id := spans.EventID("cluster", 1, "test", uint64(n), 0)
	const start = 1_760_000_000_000_000_000
	t := &spans.Trace{ID: id, Resource: broker}
	parent := spans.SpanID{}
	for i, name := range []string{"produce orders", "append orders-3", spans.NameWrite, spans.NameExt4DirtyInode, spans.NameJBD2Commit} {
		s := spans.Span{
			ID: id.Child(name), Parent: parent, Name: name,
			Start: start + int64(i), End: start + 500_000_000 - int64(i),
			Attributes: []attribute.KeyValue{
				attribute.Int64(spans.KeyThreadID, 28711),
				attribute.String(spans.KeyThreadName, "data-plane-kafka-request-handler-2"),
				attribute.String(spans.KeyFile, "orders-3/00000000000000000000.log"),
				attribute.Int64(spans.KeyBytes, 2048),
			},
		}
		t.Spans, parent = append(t.Spans, s), s.ID
	}
	t.Spans[0].Kind = spans.Server
	t.Spans[0].Attributes = append(t.Spans[0].Attributes,
		attribute.StringSlice(spans.KeyPartitions, []string{"orders-3"}),
		attribute.Int64Slice(spans.KeyBaseOffsets, []int64{184467}))
	t.Spans[4].Links = []spans.Link{{
		Trace: id, Span: id.Child("journal.commit"),
		Attributes: []attribute.KeyValue{attribute.String(spans.KeyLinkKind, "commit")},
	}}
	return t
}
