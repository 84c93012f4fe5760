package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// exporter counts and logs what becomes of the pushes of another one. Errors end
// here: the reader would hand them to OpenTelemetry's global handler.
type exporter struct {
	metric.Exporter
	log              *slog.Logger
	settings         settings
	pushes, failures prometheus.Counter

	mu  sync.Mutex
	err error // of the last push
}

func newExporter(client metric.Exporter, s settings, o Options) (*exporter, error) {
	e := &exporter{Exporter: client, log: o.Logger, settings: s,
		pushes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tailspan_metrics_pushes_total", Help: "Pushes of these metrics to a collector, those that failed included."}),
		failures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tailspan_metrics_push_failures_total", Help: "Pushes of these metrics that failed."}),
	}
	return e, errors.Join(o.Registry.Register(e.pushes), o.Registry.Register(e.failures))
}

// Export implements metric.Exporter.
func (e *exporter) Export(ctx context.Context, m *metricdata.ResourceMetrics) error {
	err := e.Exporter.Export(ctx, m)
	e.pushes.Inc()
	if err != nil {
		e.failures.Inc()
	}
	if err == nil || !errors.Is(ctx.Err(), context.Canceled) { // else Shutdown pushes once more
		e.turn(err)
	}
	return nil
}

// turn logs when the collector goes away and when it is back.
func (e *exporter) turn(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case err != nil && e.err == nil:
		e.log.Warn("collector does not take the metrics: the next push has them", "endpoint", e.settings.endpoint, "error", e.settings.hide(err))
	case err == nil && e.err != nil:
		e.log.Info("collector takes the metrics again", "endpoint", e.settings.endpoint)
	}
	e.err = err
}

func (e *exporter) last() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return fmt.Errorf("%w: %w", ErrUndelivered, e.settings.hide(e.err))
	}
	return nil
}

// longest is how much of a collector's words is shown.
const longest = 400

// hide takes what should not be shown out of an error.
func (s *settings) hide(err error) error {
	text := s.secrets.Hide(err.Error())
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return errors.New(text)
}
