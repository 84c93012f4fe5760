package push

import (
	"context"
	"encoding/hex"
	"log/slog"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	bridge "go.opentelemetry.io/contrib/bridges/prometheus"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

const scopeName = "github.com/tailspan/tailspan"

// producer is OpenTelemetry's bridge, and adds what that leaves out: units, and
// the exemplars of native histograms.
type producer struct {
	registry prometheus.Gatherer
	log      *slog.Logger
	scope    instrumentation.Scope
	bridge   metric.Producer // gathers from this producer

	mu       sync.Mutex // one at a time; guards:
	families []*dto.MetricFamily
}

func newProducer(o Options) *producer {
	p := &producer{registry: o.Registry, log: o.Logger, scope: instrumentation.Scope{Name: scopeName, Version: o.Version}}
	p.bridge = bridge.NewMetricProducer(bridge.WithGatherer(prometheus.GathererFunc(p.gather)))
	return p
}

// gather is what the bridge converts. A metric that cannot be collected is left
// out, with which the bridge would leave out all.
func (p *producer) gather() ([]*dto.MetricFamily, error) {
	families, err := p.registry.Gather()
	if err != nil {
		p.log.Warn("collect metrics", "error", err)
	}
	p.families = families
	return families, nil
}

// Produce implements metric.Producer.
func (p *producer) Produce(ctx context.Context) ([]metricdata.ScopeMetrics, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	scopes, err := p.bridge.Produce(ctx)
	byName := make(map[string]*dto.MetricFamily, len(p.families))
	for _, f := range p.families {
		byName[f.GetName()] = f
	}
	p.families = nil
	for i := range scopes {
		scopes[i].Scope = p.scope
		for k := range scopes[i].Metrics {
			amend(&scopes[i].Metrics[k], byName[scopes[i].Metrics[k].Name])
		}
	}
	return scopes, err
}

// amend adds to a metric what its family has. The bridge keeps the order of a
// family's metrics.
func amend(m *metricdata.Metrics, f *dto.MetricFamily) {
	m.Unit = unit(m.Name)
	h, ok := m.Data.(metricdata.ExponentialHistogram[float64])
	if !ok || len(h.DataPoints) != len(f.GetMetric()) {
		return
	}
	for i := range h.DataPoints {
		for _, e := range f.Metric[i].GetHistogram().GetExemplars() {
			h.DataPoints[i].Exemplars = append(h.DataPoints[i].Exemplars, exemplar(e))
		}
	}
}

// unit is UCUM's.
func unit(name string) string {
	name = strings.TrimSuffix(name, "_total")
	switch {
	case strings.HasSuffix(name, "_seconds"):
		return "s"
	case strings.HasSuffix(name, "_bytes"):
		return "By"
	}
	return ""
}

// exemplar has the trace id as OTLP has it; the bridge would write its text.
func exemplar(e *dto.Exemplar) metricdata.Exemplar[float64] {
	out := metricdata.Exemplar[float64]{Value: e.GetValue(), Time: e.GetTimestamp().AsTime()}
	for _, l := range e.Label {
		if l.GetName() == "trace_id" {
			out.TraceID, _ = hex.DecodeString(l.GetValue()) // who wrote it has it from an id
		}
	}
	return out
}
