package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/stats"
)

// grpcClient is OpenTelemetry's client with its retry switched off. It is given
// no spans: what it sends is put into the call.
type grpcClient struct {
	otlptrace.Client
	wire    wire
	request encodedRequest
	reply   *collectorpb.ExportTraceServiceResponse // of the last call
	called  bool
	err     error
}

func newGRPCClient(ctx context.Context, s settings, log *slog.Logger) (*grpcClient, error) {
	otel.SetLogger(SettingsLogger(log))
	c := &grpcClient{}
	c.Client = otlptracegrpc.NewClient(
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}),
		otlptracegrpc.WithTLSCredentials(transport(s)),
		otlptracegrpc.WithDialOption(
			grpc.WithConnectParams(reconnect()),
			grpc.WithChainUnaryInterceptor(c.intercept),
			grpc.WithStatsHandler(&c.wire),
		),
	)
	if err := c.Start(ctx); err != nil {
		return nil, fmt.Errorf("start OTLP client for %s: %w", s.endpoint, s.secrets.hide(result{err: err}).err)
	}
	return c, nil
}

// transport overrules the client, which lets OTEL_EXPORTER_OTLP_INSECURE win
// over https://, and a certificate over http://.
func transport(s settings) credentials.TransportCredentials {
	if s.plain {
		return insecure.NewCredentials()
	}
	return credentials.NewTLS(s.tls)
}

// reconnect: gRPC would wait two minutes between attempts to connect.
func reconnect() grpc.ConnectParams {
	b := backoff.DefaultConfig
	b.BaseDelay, b.MaxDelay = firstRetry, lastRetry
	return grpc.ConnectParams{Backoff: b, MinConnectTimeout: 5 * time.Second}
}

// intercept sends our request instead of an empty one, and keeps the
// collector's answer, of which UploadTraces gives the partial success only as
// text.
func (c *grpcClient) intercept(ctx context.Context, method string, _, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
	o = append(o, grpc.ForceCodecV2(codec{encoding.GetCodecV2("proto")}))
	c.err, c.called = call(ctx, method, c.request, reply, cc, o...), true
	c.reply, _ = reply.(*collectorpb.ExportTraceServiceResponse)
	return c.err
}

func (c *grpcClient) upload(ctx context.Context, request []byte) result {
	c.request, c.reply, c.called, c.err = request, nil, false, nil
	c.wire.reset()
	err := c.UploadTraces(ctx, nil)
	if !c.called {
		return judge(err)
	}
	r := judge(c.err)
	if p := c.reply.GetPartialSuccess(); c.err == nil && p != nil {
		r.rejected, r.message = int(p.GetRejectedSpans()), p.GetErrorMessage()
	}
	r.unsure = r.verdict == retry && c.wire.unsure()
	return r
}

func (c *grpcClient) stop(ctx context.Context) {
	// Nothing is being sent any more: an error could only be that ctx is over.
	_ = c.Stop(ctx)
}

// encodedRequest is a request that needs no marshalling, by a codec that knows it.
type encodedRequest []byte

type codec struct{ encoding.CodecV2 }

func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	if b, ok := v.(encodedRequest); ok {
		return mem.BufferSlice{mem.SliceBuffer(b)}, nil
	}
	return c.CodecV2.Marshal(v)
}

// wire watches what of a call went over it.
type wire struct{ sent, answered atomic.Bool }

func (w *wire) reset() { w.sent.Store(false); w.answered.Store(false) }

// unsure: the request is out, and no answer came.
func (w *wire) unsure() bool { return w.sent.Load() && !w.answered.Load() }

func (w *wire) HandleRPC(_ context.Context, s stats.RPCStats) {
	switch s.(type) {
	case *stats.OutPayload:
		w.sent.Store(true)
	case *stats.InTrailer:
		w.answered.Store(true)
	}
}

func (w *wire) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (w *wire) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (w *wire) HandleConn(context.Context, stats.ConnStats)                       {}
