package otlp

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// client is the OTLP client with its retry switched off: the sender retries,
// for it knows when to stop and what to log. One upload at a time.
type client struct {
	otlptrace.Client
	endpoint string
	reply    *collectorpb.ExportTraceServiceResponse // of the last call
	called   bool
	err      error
}

func newClient(ctx context.Context, log *slog.Logger) (*client, error) {
	endpoint, plain, err := settings()
	if err != nil {
		return nil, err
	}
	otel.SetLogger(settingsLogger(log))
	c := &client{endpoint: endpoint}
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: false}),
		otlptracegrpc.WithDialOption(
			grpc.WithConnectParams(reconnect()),
			grpc.WithChainUnaryInterceptor(c.intercept),
		),
	}
	if plain {
		options = append(options, otlptracegrpc.WithInsecure())
	}
	c.Client = otlptracegrpc.NewClient(options...)
	if err := c.Start(ctx); err != nil {
		return nil, fmt.Errorf("start OTLP client for %s: %w", endpoint, err)
	}
	return c, nil
}

// reconnect: gRPC would wait two minutes between attempts to connect.
func reconnect() grpc.ConnectParams {
	b := backoff.DefaultConfig
	b.BaseDelay, b.MaxDelay = firstRetry, lastRetry
	return grpc.ConnectParams{Backoff: b, MinConnectTimeout: 5 * time.Second}
}

// intercept keeps the collector's answer, of which UploadTraces gives the
// partial success only as text.
func (c *client) intercept(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, call grpc.UnaryInvoker, o ...grpc.CallOption) error {
	c.err, c.called = call(ctx, method, req, reply, cc, o...), true
	c.reply, _ = reply.(*collectorpb.ExportTraceServiceResponse)
	return c.err
}

// upload makes one attempt. The spans are not referenced when it returns.
func (c *client) upload(ctx context.Context, rs []*tracepb.ResourceSpans) result {
	c.reply, c.called, c.err = nil, false, nil
	err := c.UploadTraces(ctx, rs)
	if !c.called {
		return judge(err)
	}
	r := judge(c.err)
	if p := c.reply.GetPartialSuccess(); c.err == nil && p != nil {
		r.rejected, r.message = int(p.GetRejectedSpans()), p.GetErrorMessage()
	}
	return r
}

func (c *client) stop(ctx context.Context) {
	// Nothing is being sent any more: an error could only be that ctx is over.
	_ = c.Stop(ctx)
}
