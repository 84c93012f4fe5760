package metrics

import (
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Options of New. The zero value works.
type Options struct {
	Version   string
	MaxTopics int // topics with a label of their own; 0: DefaultMaxTopics
	// SLO is the latency from which a request is slow, by topic, "" for one of
	// several topics; 0: none is. Its answer may not change, for it is asked once
	// where the topic has a label of its own, and at each request where not. nil:
	// none is slow.
	SLO    func(topic string) time.Duration
	Logger *slog.Logger
}

// Metrics counts. What measures (Request to Pause) does not allocate once a
// label is known, and is meant for one goroutine, the assembler's: other callers
// are safe, but wait for each other. A scrape holds it up while it copies, some
// 150 µs a hundred histograms.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	now      func() time.Time // replaced in tests
	account  accounts

	mu            sync.Mutex // guards all below
	brokers       table[int32, broker]
	devices       table[event.Device, device]
	topics        topics
	errors        table[string, string] // labels, by name
	otherRequests uint64
	all           []*series
	turned        time.Time // when the windows last turned
	stats         Stats

	scraping sync.Mutex // one scrape at a time; guards:
	copies   []measured
}

// Stats says what became of the spans that Kept was shown.
type Stats struct {
	Exemplars  uint64 // taken, though most have given way to later ones
	Cut        uint64 // not taken: the span is shorter than what was measured
	Unmeasured uint64 // not taken: nothing was measured with such labels
}

// New returns Metrics with a registry of its own.
func New(o Options) *Metrics {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		log:      o.Logger,
		now:      time.Now,
		account:  accounts{log: o.Logger},
		brokers:  newTable[int32, broker](maxBrokers),
		devices:  newTable[event.Device, device](maxDevices),
		topics:   newTopics(o.MaxTopics, o.SLO),
		errors:   newTable[string, string](maxErrors),
	}
	m.turned = m.now()
	m.registry.MustRegister(m, &m.account,
		buildInfo(o.Version),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry is what Handler serves; who else has something to count registers it
// here.
func (m *Metrics) Registry() *prometheus.Registry { return m.registry }

// Account sets what is asked for the numbers that others count, once a scrape,
// by any goroutine, one at a time.
func (m *Metrics) Account(read func() Account) { m.account.set(read) }

// Stats may be read at any time.
func (m *Metrics) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

func buildInfo(version string) prometheus.Collector {
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name:        "tailspan_build_info",
		Help:        "1, with the version of Tailspan as a label.",
		ConstLabels: prometheus.Labels{"version": strings.ToValidUTF8(version, "\uFFFD")},
	})
	g.Set(1)
	return g
}
