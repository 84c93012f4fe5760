package metrics

import (
	"cmp"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tailspan/tailspan/spans"
)

// exemplar is a span of a kept trace. The zero value is none.
type exemplar struct {
	trace    spans.TraceID
	duration time.Duration
	end      int64 // of the span, Unix ns
}

// exemplars are the latest of each classic bucket.
type exemplars [classicBuckets]exemplar

func (x *exemplars) put(e exemplar) {
	_, c := bucketsOf(uint64(e.duration))
	if x[c].trace.IsZero() || x[c].end <= e.end {
		x[c] = e
	}
}

// of are those whose bucket counts something, oldest first: a scraper takes them
// in the order of time.
func (x *exemplars) of(h *histogram) (all []prometheus.Exemplar) {
	for c := range x {
		if e := &x[c]; !e.trace.IsZero() && h.classic[c] > 0 {
			all = append(all, prometheus.Exemplar{
				Value:     seconds(e.duration),
				Labels:    prometheus.Labels{"trace_id": e.trace.String()},
				Timestamp: time.Unix(0, e.end),
			})
		}
	}
	slices.SortFunc(all, func(a, b prometheus.Exemplar) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.Value, b.Value))
	})
	return all
}
