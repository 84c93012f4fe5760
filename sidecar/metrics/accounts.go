package metrics

import (
	"log/slog"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	requestsSeen = name("requests_seen_total",
		"Produce requests seen = exported + sampled out + pending + dropped.")
	requestsExported = name("requests_exported_total",
		"Produce requests whose trace was exported.")
	requestsSampledOut = name("requests_sampled_out_total",
		"Produce requests that were not worth a trace.")
	requestsPending = name("requests_pending",
		"Produce requests whose fate is open.")
	requestsDropped = name("requests_dropped_total",
		"Produce requests whose trace was lost.", "stage", "reason")
	tracesTotal = name("traces_total",
		"Traces by what became of them, those of no request included.", "fate")
	tracesKept = name("traces_kept_total",
		"Traces by why they were kept.", "why")
	spansExported = name("spans_exported_total",
		"Spans that the collector took.")
	exportQueueSpans = name("export_queue_spans",
		"Spans that wait for the collector.")
	exportQueueDisk = name("export_queue_disk_bytes",
		"Room on disk that those of these spans take that are there.")
	exportFailures = name("export_failures_total",
		"Attempts to export that failed.")
	lostTotal = name("lost_total",
		"What could not be seen.", "what")
	probeUp = name("probe_up",
		"1 if the probe is in use, 0 if not.", "probe", "backend")
	brokersTraced = name("brokers",
		"Brokers that are traced.")
	jvmsUnwatched = name("jvms_unwatched",
		"JVMs whose monitors are not watched for now: there were too many waits.")
)

// accounts exposes what others count.
type accounts struct {
	log *slog.Logger

	mu   sync.Mutex
	read func() Account // nil: nobody counts
	off  bool           // the last one did not add up
}

func (a *accounts) set(read func() Account) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read = read
}

// Describe implements prometheus.Collector.
func (a *accounts) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{requestsSeen, requestsExported, requestsSampledOut, requestsPending, requestsDropped,
		tracesTotal, tracesKept, spansExported, exportQueueSpans, exportQueueDisk, exportFailures,
		lostTotal, probeUp, brokersTraced, jvmsUnwatched} {
		ch <- d
	}
}

// Collect implements prometheus.Collector: all of one account.
func (a *accounts) Collect(ch chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.read == nil {
		return
	}
	x := a.read()
	a.check(&x)
	out := sink(ch)
	out.requests(&x)
	out.traces(&x)
	for what, n := range x.Lost {
		out.counter(lostTotal, n, what)
	}
	for p, up := range probes(x.Probes) {
		out.gauge(probeUp, up, p.Name, p.Backend)
	}
	out.gauge(brokersTraced, uint64(max(x.Brokers, 0)))
	out.gauge(jvmsUnwatched, uint64(max(x.Unwatched, 0)))
}

// check says once when an account does not add up, and when it does again.
func (a *accounts) check(x *Account) {
	sum := x.Exported + x.SampledOut + x.Pending
	for _, n := range x.Dropped {
		sum += n
	}
	switch off := sum != x.Seen; {
	case off && !a.off:
		a.log.Error("requests do not add up: a bug in Tailspan", "seen", x.Seen, "accounted", sum)
		a.off = true
	case !off && a.off:
		a.log.Info("requests add up again", "seen", x.Seen)
		a.off = false
	}
}

func probes(all []Probe) map[Probe]uint64 {
	up := map[Probe]uint64{}
	for _, p := range all {
		key := Probe{Name: p.Name, Backend: p.Backend}
		n, known := up[key]
		switch {
		case !p.Up:
			up[key] = 0
		case !known:
			up[key] = 1
		default:
			up[key] = n
		}
	}
	return up
}

type sink chan<- prometheus.Metric

func (s sink) requests(x *Account) {
	s.counter(requestsSeen, x.Seen)
	s.counter(requestsExported, x.Exported)
	s.counter(requestsSampledOut, x.SampledOut)
	s.gauge(requestsPending, x.Pending)
	for d, n := range x.Dropped {
		s.counter(requestsDropped, n, d.Stage, d.Reason)
	}
}

func (s sink) traces(x *Account) {
	for fate, n := range x.Traces {
		s.counter(tracesTotal, n, fate)
	}
	for why, n := range x.Kept {
		s.counter(tracesKept, n, why)
	}
	s.counter(spansExported, x.Export.Spans)
	s.gauge(exportQueueSpans, x.Export.Queued)
	s.gauge(exportQueueDisk, x.Export.DiskBytes)
	s.counter(exportFailures, x.Export.Failures)
}

func (s sink) counter(d *prometheus.Desc, n uint64, labels ...string) {
	s.put(d, prometheus.CounterValue, n, labels)
}

func (s sink) gauge(d *prometheus.Desc, n uint64, labels ...string) {
	s.put(d, prometheus.GaugeValue, n, labels)
}

func (s sink) put(d *prometheus.Desc, kind prometheus.ValueType, n uint64, labels []string) {
	for i := range labels {
		labels[i] = strings.ToValidUTF8(labels[i], "\uFFFD")
	}
	s <- &number{d, prometheus.MakeLabelPairs(d, labels), kind, float64(n)}
}
