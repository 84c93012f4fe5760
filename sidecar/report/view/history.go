package view

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/spans"
)

// Beat is how often a History wants to be added to, and kept how long ago its
// first entry is then: the longest window and the instant before it.
const (
	Beat = time.Second
	kept = 61
)

// History is what was measured in the last minute, by the sums at its instants.
// Some 400 KiB.
type History struct {
	ring [kept]entry
	n    int // entries so far
}

type entry struct {
	at time.Time
	metrics.Totals
}

// Add asks for the sums of now.
func (h *History) Add(now time.Time, measure func(*metrics.Totals)) {
	e := &h.ring[h.n%kept]
	e.at = now
	measure(&e.Totals)
	h.n++
}

// window is what was measured between two instants.
type window struct {
	took           time.Duration
	kinds          [len(kinds)]metrics.Durations
	bytes, records uint64
	slow           map[spans.Cause]uint64
}

// over is what was measured in the last d, or since the first entry.
func (h *History) over(d time.Duration) (w window) {
	if h.n == 0 {
		return w
	}
	last := h.at(h.n - 1)
	first := h.n - 1
	for first > max(0, h.n-kept) && last.at.Sub(h.at(first).at) < d-Beat/2 {
		first--
	}
	from := h.at(first)
	w.took = last.at.Sub(from.at)
	w.bytes, w.records = last.Bytes-from.Bytes, last.Records-from.Records
	for k := range kinds {
		w.kinds[k] = kinds[k].of(&last.Totals).Since(kinds[k].of(&from.Totals))
		for i := first + 1; i < h.n; i++ {
			w.kinds[k].Max = max(w.kinds[k].Max, kinds[k].of(&h.at(i).Totals).Max)
		}
	}
	w.slow = map[spans.Cause]uint64{}
	for c, n := range last.Slow {
		if n > from.Slow[c] {
			w.slow[c] = n - from.Slow[c]
		}
	}
	return w
}

// all is how many were slow since the start, by root cause.
func (h *History) all() map[spans.Cause]uint64 {
	if h.n == 0 {
		return nil
	}
	return h.at(h.n - 1).Slow
}

func (h *History) at(i int) *entry { return &h.ring[i%kept] }

// rate is how many of n there were in a second.
func (w *window) rate(n uint64) float64 {
	if w.took <= 0 {
		return 0
	}
	return float64(n) / w.took.Seconds()
}

func sum(by map[spans.Cause]uint64) (n uint64) {
	for _, x := range by {
		n += x
	}
	return n
}
