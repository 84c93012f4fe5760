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
	stamp    int64 // its timestamp; 0: it has not been scraped
}

// exemplars are the latest of each classic bucket.
type exemplars struct {
	latest [classicBuckets]exemplar
	fresh  bool  // one has no timestamp
	seen   int64 // the latest timestamp that was scraped
}

func (x *exemplars) put(e exemplar) {
	_, c := bucketsOf(uint64(e.duration))
	if old := &x.latest[c]; old.trace.IsZero() || old.end <= e.end {
		*old, x.fresh = e, true
	}
}

// stamp gives timestamps to those that are scraped for the first time: the span's
// end. A trace that waited for what it links to is exported seconds after others
// that ended later; where these have been scraped, Prometheus would refuse it for
// its age, so it is stamped after them.
func (x *exemplars) stamp() {
	if !x.fresh {
		return
	}
	x.fresh = false
	late := x.seen
	for c := range x.latest {
		e := &x.latest[c]
		if e.trace.IsZero() || e.stamp != 0 {
			continue
		}
		e.stamp = e.end
		if e.end <= x.seen {
			late += int64(time.Millisecond) // Prometheus' resolution
			e.stamp = late
		}
	}
	for c := range x.latest {
		x.seen = max(x.seen, x.latest[c].stamp)
	}
}

// of are those whose bucket counts something, oldest first: a scraper takes them
// in the order of time.
func (x *exemplars) of(h *histogram) (all []prometheus.Exemplar) {
	for c := range x.latest {
		if e := &x.latest[c]; !e.trace.IsZero() && h.classic[c] > 0 {
			all = append(all, prometheus.Exemplar{
				Value:     seconds(e.duration),
				Labels:    prometheus.Labels{"trace_id": e.trace.String()},
				Timestamp: time.Unix(0, e.stamp),
			})
		}
	}
	slices.SortFunc(all, func(a, b prometheus.Exemplar) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), cmp.Compare(a.Value, b.Value))
	})
	return all
}
