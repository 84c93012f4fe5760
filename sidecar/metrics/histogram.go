package metrics

import "time"

// histogram counts durations in native and classic buckets. It is plain data:
// Metrics' lock guards it, and a scrape copies it.
type histogram struct {
	native  [nativeBuckets]uint64
	classic [classicBuckets]uint64
	// sum is in ns: exact up to 2^53 of them, 104 days.
	sum float64
}

func (h *histogram) observe(d time.Duration) {
	ns := uint64(max(d, 0))
	n, c := bucketsOf(ns)
	h.native[n]++
	h.classic[c]++
	h.sum += float64(ns)
}

func (h *histogram) count() (n uint64) {
	for _, c := range h.classic {
		n += c
	}
	return n
}
