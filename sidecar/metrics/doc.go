// Package metrics is what is counted and timed over all requests, writes, waits
// and commits: never over the sample.
//
//	assembler → Request, Write, …  → histograms and counters ┐
//	exporter  → Kept               → exemplars               ├→ Handler, package push
//	scrape    → Account            → what others count       ┘
//
// It knows Prometheus and what a trace's spans are called; it does not know how
// anything was measured, nor which traces are kept and why.
//
// Units: seconds and bytes on the outside, time.Duration within. A histogram is
// exposed as a native one (schema 3: eight buckets a power of two, at most 160
// of them) and as a classic one (100 µs to 30 s) at once; Prometheus takes which
// it knows. Both count the very same nanoseconds, and a scrape sees all of them
// at one instant.
//
// Not client_golang's own histogram, of which an observation takes four times as
// long where it has native buckets (BenchmarkObserve). It is the oracle in the tests.
//
// An exemplar names a kept trace or there is none: nothing is known of a trace
// when its times are measured, so Kept puts them there afterwards.
//
// Everything is bounded: topics with a label of their own (Options.MaxTopics, the
// first ones of which the broker took something), brokers (32), devices (64),
// names of errors (64); the rest shares the label "(other)". A histogram is 3.3 KiB,
// there is one a topic and broker, and ten a broker.
//
//	input.go      what is measured: units, and what zero means
//	metrics.go    New; handler.go: the HTTP side
//	family.go     every name, with its help
//	request.go    a finished request; measure.go: all else
//	topic.go      who has a label of his own; table.go, broker.go: brokers and devices; traffic.go: a topic of a broker
//	histogram.go  counts; bounds.go: the buckets; expose.go: as Prometheus has them
//	totals.go     sums of all that, and their quantiles
//	window.go     the greatest value of late
//	exemplar.go   which trace to show, and since when; kept.go: what a kept trace has to show
//	collect.go    one scrape; number.go, series.go: what is in it
//	account.go    what others count; accounts.go: one scrape of it
//
// The formats: https://prometheus.io/docs/specs/native_histograms/ and
// https://prometheus.io/docs/specs/om/open_metrics_spec/.
package metrics
