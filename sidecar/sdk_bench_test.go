package sidecar

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// perTurn is how many traces one turn of BenchmarkSDK makes.
const perTurn = 5000

// BenchmarkSDK takes the events of requests to a collector: assembles, decides,
// encodes and sends five-span traces, metrics and the live page beside it; and has
// the SDK record the same spans, and its BatchSpanProcessor and OTLP exporter send
// them to the same collector. They take turns, so that what else the machine does
// falls on both, and the collector's part with it. Ours may take half of the time.
func BenchmarkSDK(b *testing.B) {
	var got atomic.Int64
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		got.Add(n)
	}))
	defer collector.Close()
	b.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	b.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	traces := tracesOf(b, requests(perTurn))
	var ours, theirs cost
	for b.Loop() {
		events, s, p := requests(perTurn), pipeline(b), provider(b, traces[0].Resource)
		ours.of(func() { oursSent(b, s, events) })
		theirs.of(func() { theirsSent(b, p, traces) })
	}
	n := float64(b.N * perTurn)
	if got.Load() < int64(n) {
		b.Fatalf("%d bytes arrived", got.Load())
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(traces[0].Spans)), "spans/trace")
	b.ReportMetric(float64(ours.time.Nanoseconds())/n, "ours-cpu-ns/trace")
	b.ReportMetric(float64(theirs.time.Nanoseconds())/n, "sdk-cpu-ns/trace")
	b.ReportMetric(float64(ours.allocs)/n, "ours-allocs/trace")
	b.ReportMetric(float64(theirs.allocs)/n, "sdk-allocs/trace")
	b.ReportMetric(float64(ours.time)/float64(theirs.time), "ours/sdk")
	if 2*ours.time > theirs.time {
		b.Errorf("%v and %v: more than half of the SDK's time", ours.time, theirs.time)
	}
}

// pipeline is one as a run has it, of which every trace goes out.
func pipeline(b *testing.B) *Sidecar {
	c := config.Config{Print: "none", Format: "table", SLO: 0, KeepSlowest: 3, MaxTopics: 100, Listen: "127.0.0.1:0"}
	s, err := New(Options{Config: c, Logger: quiet, Stdout: io.Discard, Version: "1", Export: true})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func oursSent(b *testing.B, s *Sidecar, events []event.Event) {
	for _, e := range events {
		s.assembler.Handle(e)
	}
	s.ended()
	if err := s.out.close(context.Background()); err != nil {
		b.Fatal(err)
	}
	if n := s.out.exporter.Stats().Exported.Traces; n != perTurn {
		b.Fatalf("%d traces exported: %+v", n, s.out.exporter.Stats())
	}
}

// provider is the SDK's, with its BatchSpanProcessor.
func provider(b *testing.B, r *spans.Resource) *sdktrace.TracerProvider {
	x, err := otlptracehttp.New(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	return sdktrace.NewTracerProvider(sdktrace.WithResource(sdkresource.NewSchemaless(r.Attributes...)),
		sdktrace.WithSpanProcessor(sdktrace.NewBatchSpanProcessor(x, sdktrace.WithBlocking())))
}

// theirsSent records traces as an application does.
func theirsSent(b *testing.B, p *sdktrace.TracerProvider, traces []*spans.Trace) {
	tracer := p.Tracer("tailspan")
	for _, t := range traces {
		record(tracer, t)
	}
	if err := p.Shutdown(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// record starts and ends the spans of a trace, each below its parent.
func record(tracer trace.Tracer, t *spans.Trace) {
	var under [16]context.Context
	for i := range t.Spans {
		s := &t.Spans[i]
		ctx := context.Background()
		for k := range i {
			if t.Spans[k].ID == s.Parent {
				ctx = under[k]
			}
		}
		kind := trace.SpanKindInternal
		if s.Kind == spans.Server {
			kind = trace.SpanKindServer
		}
		var span trace.Span
		under[i], span = tracer.Start(ctx, s.Name, trace.WithSpanKind(kind), trace.WithTimestamp(time.Unix(0, s.Start)), trace.WithAttributes(s.Attributes...))
		defer span.End(trace.WithTimestamp(time.Unix(0, s.End)))
	}
}

// requests are the events of n requests, each with a write and an
// ext4_dirty_inode in it: receive, queue, append, write, response, as Kafka has
// them, 250 µs apart.
func requests(n int) (all []event.Event) {
	const us = event.Time(time.Microsecond)
	tp := event.TopicPartition{Topic: "orders", Partition: 3}
	thread := event.Thread{PID: 7, TID: 5, Name: "data-plane-kafka-request-handler-5"}
	for i := range n {
		at, base, crc := event.Time(time.Hour)+250*us*event.Time(i), int64(2*i), uint32(i)
		r := event.NewRequest(1)
		r.Arrival, r.LastByte, r.ArrivalUnix, r.LastByteUnix = at, at, int64(at), int64(at)
		r.Conn, r.Client, r.Broker, r.PID = 1, netip.MustParseAddrPort("127.0.0.1:40000"), netip.MustParseAddrPort("127.0.0.1:9092"), 7
		r.APIVersion, r.CorrelationID, r.ClientID, r.Acks = 12, int32(i), "producer-1", 1
		r.Partitions[0] = event.RequestPartition{TopicPartition: tp, Bytes: 200, Records: 2, CRC: crc, ProducerID: -1, ProducerEpoch: -1, BaseSequence: -1}
		a := event.NewResponse(1)
		a.Start, a.End, a.StartUnix, a.EndUnix, a.Conn, a.CorrelationID = at+120*us, at+121*us, int64(at+120*us), int64(at+121*us), 1, int32(i)
		a.Partitions[0] = event.ResponsePartition{TopicPartition: tp, BaseOffset: base, LogAppendTime: -1}
		all = append(all, r,
			&event.DirtyInode{Start: at + 60*us, End: at + 65*us, Thread: thread, Device: 8 << 20, FileSystem: "ext4"},
			&event.Write{Start: at + 50*us, End: at + 80*us, Thread: thread, TopicPartition: tp, File: "orders-3/00000000000000000000.log",
				Device: 8 << 20, Inode: 42, Offset: base * 100, Bytes: 200, Batch: true, BaseOffset: base, BatchBytes: 200, CRC: crc, Records: 2},
			&event.Wake{Time: at + 100*us, Thread: thread}, a)
	}
	return all
}

// tracesOf are the traces of events.
func tracesOf(b *testing.B, events []event.Event) []*spans.Trace {
	var x taker
	a := assemble.New(assemble.Options{Clock: &event.Clock{}, Output: &x, Rows: assemble.Rows{Traces: true},
		Identity: func(int32) assemble.Identity { return assemble.Identity{Resource: &spans.Resource{}} }})
	for _, e := range events {
		a.Handle(e)
	}
	a.Close()
	if len(x.traces) != perTurn {
		b.Fatalf("%d traces", len(x.traces))
	}
	return x.traces
}

type taker struct {
	assemble.Output
	traces []*spans.Trace
}

func (x *taker) Trace(c assemble.Candidate) { x.traces = append(x.traces, c.BuildTrace()) }

// cost is what turns took of the CPU, for on a machine that is busy elsewhere the
// clock says little.
type cost struct {
	time   time.Duration
	allocs uint64
}

func (c *cost) of(turn func()) {
	var before, after runtime.MemStats
	var begin, end syscall.Rusage
	runtime.ReadMemStats(&before)
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &begin)
	turn()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &end)
	runtime.ReadMemStats(&after)
	c.time += time.Duration(end.Utime.Nano() - begin.Utime.Nano() + end.Stime.Nano() - begin.Stime.Nano())
	c.allocs += after.Mallocs - before.Mallocs
}
