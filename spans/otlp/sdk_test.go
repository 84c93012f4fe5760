package otlp

import (
	"context"
	"log/slog"
	"runtime"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tailspan/tailspan/spans"
)

// sink marshals what it is given, as any client must, and sends it nowhere. It
// is a client of ours and of the SDK's.
type sink struct {
	buf   []byte
	bytes int
	spans int // of the SDK's
}

func (s *sink) UploadTraces(_ context.Context, rs []*tracepb.ResourceSpans) (err error) {
	req := collectorpb.ExportTraceServiceRequest{ResourceSpans: rs}
	s.buf, err = proto.MarshalOptions{}.MarshalAppend(s.buf[:0], &req)
	s.bytes += len(s.buf)
	for _, r := range rs {
		for _, scope := range r.ScopeSpans {
			s.spans += len(scope.Spans)
		}
	}
	return err
}

// upload is given what is marshalled already.
func (s *sink) upload(_ context.Context, request []byte) result {
	s.bytes += len(request)
	return result{}
}

func (s *sink) stop(context.Context)        {}
func (s *sink) Start(context.Context) error { return nil }
func (s *sink) Stop(context.Context) error  { return nil }

const encoded1000 = 1000 // traces of one turn

// ours sends traces through an exporter of ours.
func ours(b *testing.B, s *sink, traces []*spans.Trace) {
	e, err := newExporter(context.Background(), s, settings{secrets: newSecrets(nil, nil)},
		Options{Logger: slog.New(slog.DiscardHandler), QueueSpans: DefaultQueueSpans, Version: "1"})
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range traces {
		e.Export(t)
	}
	if err := e.Shutdown(context.Background()); err != nil || e.Stats().Exported.Traces != uint64(len(traces)) {
		b.Fatal(err, e.Stats())
	}
}

// batcher is the SDK's, before its exporter. It waits where it would drop.
func batcher(b *testing.B, s *sink) sdktrace.SpanProcessor {
	x, err := otlptrace.New(context.Background(), s)
	if err != nil {
		b.Fatal(err)
	}
	return sdktrace.NewBatchSpanProcessor(x, sdktrace.WithBlocking())
}

// processed hands spans that have ended to the SDK's BatchSpanProcessor.
func processed(b *testing.B, s *sink, ended [][]sdktrace.ReadOnlySpan) {
	p := batcher(b, s)
	for _, t := range ended {
		for _, span := range t {
			p.OnEnd(span)
		}
	}
	if err := p.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// recorded makes the same traces as an application does.
func recorded(b *testing.B, s *sink, res *sdkresource.Resource, traces []*spans.Trace) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(batcher(b, s)), sdktrace.WithResource(res))
	tracer := provider.Tracer(scopeName, trace.WithInstrumentationVersion("1"))
	for _, t := range traces {
		play(tracer, t)
	}
	if err := provider.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}

func play(tracer trace.Tracer, t *spans.Trace) {
	ctx := context.Background()
	var open []trace.Span
	for i := range t.Spans {
		s := &t.Spans[i]
		o := []trace.SpanStartOption{trace.WithTimestamp(time.Unix(0, s.Start)), trace.WithAttributes(s.Attributes...)}
		if s.Kind == spans.Server {
			o = append(o, trace.WithSpanKind(trace.SpanKindServer))
		}
		for _, l := range s.Links {
			o = append(o, trace.WithLinks(trace.Link{Attributes: l.Attributes,
				SpanContext: trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID(l.Trace), SpanID: trace.SpanID(l.Span)})}))
		}
		var span trace.Span
		ctx, span = tracer.Start(ctx, s.Name, o...)
		open = append(open, span)
	}
	for i := len(open) - 1; i >= 0; i-- {
		open[i].End(trace.WithTimestamp(time.Unix(0, t.Spans[i].End)))
	}
}

// ended are the same traces as the SDK's processor gets them.
func ended(res *sdkresource.Resource, traces []*spans.Trace) (all [][]sdktrace.ReadOnlySpan) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithResource(res))
	tracer := provider.Tracer(scopeName, trace.WithInstrumentationVersion("1"))
	for _, t := range traces {
		play(tracer, t)
		all = append(all, recorder.Ended())
		recorder.Reset()
	}
	return all
}

// cost is what some turns took: of the CPU, for on a machine that is busy
// elsewhere the clock says little.
type cost struct {
	time   time.Duration
	allocs uint64
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (c *cost) of(turn func()) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpu()
	turn()
	c.time += cpu() - start
	runtime.ReadMemStats(&after)
	c.allocs += after.Mallocs - before.Mallocs
}

// BenchmarkEncode sends the same five-span traces through our exporter, and
// through the SDK's BatchSpanProcessor and OTLP exporter: once from where its
// spans have ended, and once with their recording, which is the counterpart of
// what our assembler does. All marshal, and send nowhere. They take turns, so
// that what else the machine does falls on all of them. Ours may take half of the time of the former at most.
func BenchmarkEncode(b *testing.B) {
	traces := make([]*spans.Trace, encoded1000)
	for i := range traces {
		traces[i] = fiveSpans(i)
	}
	res := sdkresource.NewSchemaless(broker.Attributes...)
	done := ended(res, traces)
	var us, bsp, app cost
	var a, p, r sink
	for b.Loop() {
		us.of(func() { ours(b, &a, traces) })
		bsp.of(func() { processed(b, &p, done) })
		app.of(func() { recorded(b, &r, res, traces) })
	}
	n := float64(b.N * encoded1000)
	if want := 5 * b.N * encoded1000; p.spans != want || r.spans != want {
		b.Fatalf("%d and %d spans arrived, not %d", p.spans, r.spans, want)
	}
	if 2*us.time > bsp.time {
		b.Errorf("more than half of the SDK's time")
	}
	b.ReportMetric(0, "ns/op")
	for name, c := range map[string]cost{"ours": us, "bsp": bsp, "sdk": app} {
		b.ReportMetric(float64(c.time.Nanoseconds())/n, name+"-cpu-ns/trace")
		b.ReportMetric(float64(c.allocs)/n, name+"-allocs/trace")
	}
	b.ReportMetric(float64(a.bytes)/n, "ours-bytes/trace")
	b.ReportMetric(float64(p.bytes)/n, "bsp-bytes/trace")
	b.ReportMetric(float64(us.time)/float64(bsp.time), "ours/bsp")
	b.ReportMetric(float64(us.time)/float64(app.time), "ours/sdk")
}
