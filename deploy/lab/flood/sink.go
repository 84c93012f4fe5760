package flood

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"

	"github.com/tailspan/tailspan/spans"
)

// Sink is a collector that takes all traces and keeps no more of them than what
// there is to count.
type Sink struct {
	collectorpb.UnimplementedTraceServiceServer
	server *grpc.Server
	addr   string

	mu  sync.Mutex
	got Arrived
}

// Arrived is what a Sink was given.
type Arrived struct {
	Traces, Spans int
	Torn          int                   // traces without a root, or with spans whose parent is not there
	Times         map[spans.TraceID]int // how often each came
	Roots         map[string]int        // by name; requests as "produce"
	Slow          map[Key]Estimate      // requests slower than Quick
	Requests      Estimate              // all requests
}

// Listen starts a Sink on loopback.
func Listen() (*Sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sink: %w", err)
	}
	s := &Sink{addr: l.Addr().String(), server: grpc.NewServer(grpc.MaxRecvMsgSize(64 << 20)),
		got: Arrived{Times: map[spans.TraceID]int{}, Roots: map[string]int{}, Slow: map[Key]Estimate{}}}
	collectorpb.RegisterTraceServiceServer(s.server, s)
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// Env has Tailspan export to it.
func (s *Sink) Env() []string {
	return []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + s.addr, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}
}

// Close ends it and says what it was given.
func (s *Sink) Close() Arrived {
	s.server.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got
}

// Export implements the OTLP trace service.
func (s *Sink) Export(_ context.Context, r *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, of := range r.ResourceSpans {
		for _, scope := range of.ScopeSpans {
			s.got.take(scope.Spans)
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// take counts spans, of which those of a trace follow one another.
func (a *Arrived) take(all []*tracepb.Span) {
	a.Spans += len(all)
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && string(all[to].TraceId) == string(all[from].TraceId) {
			to++
		}
		a.trace(all[from:to])
		from = to
	}
}

func (a *Arrived) trace(all []*tracepb.Span) {
	a.Traces++
	a.Times[spans.TraceID(all[0].TraceId)]++
	here := map[string]bool{}
	for _, s := range all {
		here[string(s.SpanId)] = true
	}
	var root *tracepb.Span
	torn := false
	for _, s := range all {
		if len(s.ParentSpanId) == 0 {
			root = s
		} else if !here[string(s.ParentSpanId)] {
			torn = true
		}
	}
	if root == nil || torn {
		a.Torn++
		return
	}
	if root.Kind != tracepb.Span_SPAN_KIND_SERVER {
		a.Roots[root.Name]++
		return
	}
	a.Roots[spans.NameProduce]++
	a.Requests.add(root.TraceState)
	if time.Duration(root.EndTimeUnixNano-root.StartTimeUnixNano) >= Quick {
		k := keyOf(root.Attributes)
		e := a.Slow[k]
		e.add(root.TraceState)
		a.Slow[k] = e
	}
}

func keyOf(attrs []*commonpb.KeyValue) (k Key) {
	for _, kv := range attrs {
		switch kv.Key {
		case spans.KeyDestination:
			k.Topic = kv.Value.GetStringValue()
		case spans.KeyCause:
			k.Cause = spans.Cause(kv.Value.GetStringValue())
		case spans.KeyRootCause:
			k.Root = spans.Cause(kv.Value.GetStringValue())
		}
	}
	return k
}
