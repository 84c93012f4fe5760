package metrics

import (
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxNative bounds the native buckets that are shown.
const maxNative = 160

// expose is the histogram as Prometheus has it.
func (h *histogram) expose(since time.Time) *dto.Histogram {
	key, counts, schema := coarsen(h.native[1:])
	spans, deltas := sparse(key, counts)
	return &dto.Histogram{
		SampleCount:      new(h.count()),
		SampleSum:        new(h.sum / 1e9),
		CreatedTimestamp: timestamppb.New(since),
		Bucket:           h.cumulative(),
		Schema:           new(schema),
		ZeroThreshold:    new(math.Ldexp(1, zeroExponent)),
		ZeroCount:        new(h.native[0]),
		PositiveSpan:     spans,
		PositiveDelta:    deltas,
	}
}

func (h *histogram) cumulative() []*dto.Bucket {
	all := make([]dto.Bucket, len(edges))
	out := make([]*dto.Bucket, len(edges))
	n := uint64(0)
	for i, e := range edges {
		n += h.classic[i]
		all[i].CumulativeCount, all[i].UpperBound = new(n), new(seconds(e))
		out[i] = &all[i]
	}
	return out
}

// seconds is correctly rounded; time.Duration.Seconds is not always.
func seconds(d time.Duration) float64 { return float64(d) / 1e9 }

// coarsen takes pairs of buckets for one as long as there are too many. Counts
// only grow, so a histogram never gets finer again. key is the first bucket's.
func coarsen(counts []uint64) (key int, out []uint64, s int32) {
	key, s = firstKey, schema
	for populated(counts) > maxNative {
		first := halved(key)
		pairs := make([]uint64, halved(key+len(counts)-1)-first+1)
		for i, n := range counts {
			pairs[halved(key+i)-first] += n
		}
		key, counts, s = first, pairs, s-1
	}
	return key, counts, s
}

// halved is the bucket of the next coarser schema: half the key, rounded up.
func halved(key int) int { return (key + 1) >> 1 }

func populated(counts []uint64) (n int) {
	for _, c := range counts {
		if c > 0 {
			n++
		}
	}
	return n
}

// maxGap is how many empty buckets are shown rather than a new span begun.
const maxGap = 2

// sparse writes buckets as spans of such that follow each other, and each count
// as its difference from the one before it.
func sparse(key int, counts []uint64) (spans []*dto.BucketSpan, deltas []int64) {
	last := uint64(0)
	add := func(n uint64) {
		*spans[len(spans)-1].Length++
		deltas = append(deltas, int64(n-last))
		last = n
	}
	next := 0 // the bucket after the last one shown
	for i, n := range counts {
		if n == 0 {
			continue
		}
		gap := key + i - next
		if spans == nil || gap > maxGap {
			spans = append(spans, &dto.BucketSpan{Offset: new(int32(gap)), Length: new(uint32)})
		} else {
			for range gap {
				add(0)
			}
		}
		add(n)
		next = key + i + 1
	}
	return spans, deltas
}
