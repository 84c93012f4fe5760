package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/tailspan/tailspan/spans/otlp"
)

// Options of Start.
type Options struct {
	// Registry is what is pushed; the pushes are counted in it, too.
	Registry *prometheus.Registry
	// Resource is who the metrics are about.
	Resource []attribute.KeyValue
	Version  string // of the instrumentation scope
	Logger   *slog.Logger
}

// ErrUndelivered is returned by Shutdown if the last push failed.
var ErrUndelivered = errors.New("metrics not delivered")

// Pusher pushes in the background.
type Pusher struct {
	provider *metric.MeterProvider
	exporter *exporter
}

// Start begins to push. It does not fail when the collector is away; it does
// when the settings of the environment cannot be met.
func Start(ctx context.Context, o Options) (*Pusher, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s, err := readSettings()
	if err != nil {
		return nil, err
	}
	speak(o.Logger, s)
	client, err := newClient(ctx, s)
	if err != nil {
		return nil, fmt.Errorf("start OTLP metrics client for %s: %w", s.endpoint, s.hide(err))
	}
	e, err := newExporter(client, s, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("count pushes: %w", err), client.Shutdown(ctx))
	}
	reader := metric.NewPeriodicReader(e, metric.WithProducer(newProducer(o)))
	return &Pusher{exporter: e, provider: metric.NewMeterProvider(
		metric.WithReader(reader), metric.WithResource(resource.NewSchemaless(o.Resource...)))}, nil
}

// speak has the OpenTelemetry libraries log here instead of on stderr. That is
// process-wide: they know no other way.
func speak(log *slog.Logger, s settings) {
	otel.SetLogger(otlp.SettingsLogger(log))
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if !errors.Is(err, context.Canceled) { // Shutdown interrupts a push
			log.Warn("push metrics", "error", s.hide(err))
		}
	}))
}

// Shutdown pushes once more, within ctx, and ends.
func (p *Pusher) Shutdown(ctx context.Context) error {
	if err := p.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("%w: %w", ErrUndelivered, err)
	}
	return p.exporter.last()
}

func newClient(ctx context.Context, s settings) (metric.Exporter, error) {
	if s.http {
		options := []otlpmetrichttp.Option{otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{})}
		if s.plain {
			options = append(options, otlpmetrichttp.WithInsecure())
		}
		return otlpmetrichttp.New(ctx, options...)
	}
	options := []otlpmetricgrpc.Option{
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}),
		otlpmetricgrpc.WithDialOption(grpc.WithConnectParams(reconnect())),
	}
	if s.plain {
		options = append(options, otlpmetricgrpc.WithInsecure())
	}
	return otlpmetricgrpc.New(ctx, options...)
}

// reconnect: gRPC would wait two minutes between attempts to connect.
func reconnect() grpc.ConnectParams {
	b := backoff.DefaultConfig
	b.MaxDelay = 10 * time.Second
	return grpc.ConnectParams{Backoff: b, MinConnectTimeout: 5 * time.Second}
}
