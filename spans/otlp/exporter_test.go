package otlp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/tailspan/tailspan/spans"
)

func TestWholeTracesArrive(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	e, log := connect(t, c.addr, Options{})
	const n = 1000
	for i := range n {
		if !e.Export(fiveSpans(i)) {
			t.Fatal("queue full")
		}
	}
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	got := c.traces()
	if len(got) != n {
		t.Errorf("%d of %d traces arrived", len(got), n)
	}
	for id, spans := range got {
		if spans != 5 {
			t.Fatalf("trace %x has %d spans", id, spans)
		}
	}
	s := e.Stats()
	balanced(t, s)
	if s.Exported != (Count{Traces: n, Spans: 5 * n}) || s.Batches < 5*n/batchSpans || s.Batches > n/10 {
		t.Errorf("%+v", s)
	}
	if log.String() != "" {
		t.Errorf("logged without need:\n%s", log)
	}
}

func TestExportAfterShutdown(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	e, _ := connect(t, c.addr, Options{})
	if err := flush(e, time.Second); err != nil {
		t.Fatal(err)
	}
	if e.Export(fiveSpans(1)) || e.Export(nil) {
		t.Error("accepted after the end")
	}
	if s := e.Stats(); s.Undelivered != (Count{Traces: 1, Spans: 5}) || s.Rejected != (Count{Traces: 1, Spans: 0}) {
		t.Errorf("%+v", s)
	}
	balanced(t, e.Stats())
}

// The collector is not there at first, comes, goes with a reset, comes back.
func TestCollectorAwayAndBack(t *testing.T) {
	addr := freePort(t)
	e, log := connect(t, addr, Options{QueueSpans: 100})
	for i := range 40 {
		e.Export(fiveSpans(i))
	}
	eventually(t, "three failures", func() bool { return e.Stats().Failures >= 3 })
	s := e.Stats()
	if s.Queued != (Count{Traces: 20, Spans: 100}) || s.QueueFull != (Count{Traces: 20, Spans: 100}) {
		t.Errorf("not bounded by its spans: %+v", s)
	}
	c := listen(t, addr)
	eventually(t, "everything exported", func() bool { return e.Stats().Exported.Traces == 20 })
	c.server.Stop()
	e.Export(fiveSpans(100))
	failures := e.Stats().Failures
	eventually(t, "a failure", func() bool { return e.Stats().Failures > failures })
	listen(t, addr)
	eventually(t, "exported again", func() bool { return e.Stats().Exported.Traces == 21 })
	balanced(t, e.Stats())
	if log.lines("collector is away") != 1 || log.lines("collector is back") != 1 || log.lines("queue is full") != 1 {
		t.Errorf("one line each was expected (the second loss came within %s):\n%s", logEvery, log)
	}
}

func TestCollectorRefuses(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.answers(fails(codes.InvalidArgument))
	e, log := connect(t, c.addr, Options{})
	for i := range 300 {
		e.Export(fiveSpans(i))
	}
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	balanced(t, s)
	if s.Rejected != (Count{Traces: 300, Spans: 1500}) || s.LastError == "" || s.Failures == 0 {
		t.Errorf("%+v", s)
	}
	if log.lines("collector refuses") != 1 {
		t.Errorf("one line was expected:\n%s", log)
	}
}

func TestPartialSuccess(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.answers(func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		return &collectorpb.ExportTraceServiceResponse{PartialSuccess: &collectorpb.ExportTracePartialSuccess{
			RejectedSpans: 3, ErrorMessage: "too old"}}, nil
	})
	e, log := connect(t, c.addr, Options{})
	e.Export(fiveSpans(1))
	e.Export(fiveSpans(2))
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	s := e.Stats()
	balanced(t, s)
	if s.Exported != (Count{Traces: 2, Spans: 7}) || s.Rejected != (Count{Traces: 0, Spans: 3}) || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
	if log.lines("too old") != 1 {
		t.Errorf("the collector's remark is lost:\n%s", log)
	}
}

// A message that is too large for the collector is cut between traces.
func TestTooLargeIsSplit(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.answers(func(_ context.Context, r *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		if len(r.ResourceSpans[0].ScopeSpans[0].Spans) > 5*16 {
			return nil, status.Error(codes.ResourceExhausted, "received message larger than max")
		}
		return &collectorpb.ExportTraceServiceResponse{}, nil
	})
	e, _ := connect(t, c.addr, Options{})
	for i := range 200 {
		e.Export(fiveSpans(i))
	}
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	balanced(t, e.Stats())
	if n := len(c.traces()); n != 200 {
		t.Errorf("%d of 200 arrived: %+v", n, e.Stats())
	}
}

func TestThrottleIsHeeded(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	s, err := status.New(codes.ResourceExhausted, "slow down").
		WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(600 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	c.answers(func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		c.answers(accept)
		return nil, s.Err()
	})
	e, _ := connect(t, c.addr, Options{})
	start := time.Now()
	e.Export(fiveSpans(1))
	eventually(t, "exported", func() bool { return e.Stats().Exported.Traces == 1 })
	if d := time.Since(start); d < 450*time.Millisecond {
		t.Errorf("came again after %s", d)
	}
}

// A collector that hangs costs neither the caller nor the shutdown.
func TestCollectorHangs(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.answers(func(ctx context.Context, _ *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	e, _ := connect(t, c.addr, Options{QueueSpans: 1000})
	start := time.Now()
	for i := range 5000 {
		e.Export(fiveSpans(i))
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("Export blocked: %s", d)
	}
	start = time.Now()
	err := flush(e, 300*time.Millisecond)
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("shutdown took %s", d)
	}
	if !errors.Is(err, ErrUndelivered) {
		t.Errorf("shutdown: %v", err)
	}
	s := e.Stats()
	balanced(t, s)
	if s.Undelivered != (Count{Traces: 200, Spans: 1000}) || s.QueueFull.Traces != 4800 || s.Queued != (Count{}) {
		t.Errorf("%+v", s)
	}
}

// Where there never was a collector, nobody waits for one at exit.
func TestShutdownWithoutCollector(t *testing.T) {
	e, _ := connect(t, freePort(t), Options{})
	e.Export(fiveSpans(1))
	start := time.Now()
	if err := flush(e, 10*time.Second); !errors.Is(err, ErrUndelivered) {
		t.Error(err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("waited %s", d)
	}
	balanced(t, e.Stats())
}

func TestNotUTF8(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	e, _ := connect(t, c.addr, Options{})
	bad := fiveSpans(1)
	bad.Spans[0].Name, bad.Spans[1].Error = "produce \xff", "\xfe"
	e.Export(bad)
	if err := flush(e, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if len(c.traces()) != 1 {
		t.Errorf("%+v", e.Stats())
	}
}

func fails(code codes.Code) func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	return func(context.Context, *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
		return nil, status.Error(code, "as the test wants it")
	}
}

// freePort is an address where nothing listens, nor will by chance: it is none
// of those that the kernel gives to whoever asks for any.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000)))
		if err == nil {
			l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func BenchmarkExport(b *testing.B) {
	q := newQueue(1 << 40)
	traces := make([]*spans.Trace, 512)
	for i := range traces {
		traces[i] = fiveSpans(i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.push(traces[i%512])
		if i%100 == 99 {
			q.settle(batch{fresh: q.take(nil)}, 0)
		}
	}
}
