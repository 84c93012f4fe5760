package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
)

// oracle is client_golang's histogram with the same buckets.
func oracle() prometheus.Histogram {
	bounds := make([]float64, len(edges))
	for i, e := range edges {
		bounds[i] = e.Seconds()
	}
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "oracle", Buckets: bounds,
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: maxNative,
		NativeHistogramZeroThreshold:   math.Ldexp(1, zeroExponent),
	})
}

func written(t *testing.T, m prometheus.Metric) *dto.Histogram {
	t.Helper()
	var out dto.Metric
	if err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Histogram
}

// atBounds are durations about each bound of both kinds of buckets.
func atBounds() (all []time.Duration) {
	add := func(bound uint64) {
		for d := -2; d <= 2; d++ {
			if ns := int64(bound) + int64(d); ns >= 0 {
				all = append(all, time.Duration(ns))
			}
		}
	}
	for _, u := range upper[:nativeBuckets-1] {
		add(u)
	}
	for _, e := range edges {
		add(uint64(e))
	}
	return all
}

func TestBucketsAreThoseOfClientGolang(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int, median time.Duration, spread float64) (all []time.Duration) {
		for range n {
			all = append(all, time.Duration(float64(median)*math.Exp(spread*rng.NormFloat64())))
		}
		return all
	}
	for name, all := range map[string][]time.Duration{
		"one":      {time.Millisecond},
		"zero":     {0, 1, 900},
		"writes":   random(20000, 30*time.Microsecond, 1),
		"requests": random(20000, 3*time.Millisecond, 1.5),
		"sparse":   {5 * time.Microsecond, time.Millisecond, 1100 * time.Microsecond, time.Hour},
	} {
		want, got := oracle(), &histogram{}
		for _, d := range all {
			want.Observe(seconds(d))
			got.observe(d)
		}
		compare(t, name, got, written(t, want))
	}
}

// TestEachBound has one value a histogram, for with more than 160 buckets the
// two would become coarser differently.
func TestEachBound(t *testing.T) {
	for _, d := range atBounds() {
		want, got := oracle(), &histogram{}
		want.Observe(seconds(d))
		got.observe(d)
		compare(t, d.String(), got, written(t, want))
	}
}

func compare(t *testing.T, name string, got *histogram, want *dto.Histogram) {
	t.Helper()
	g := got.expose(time.Now())
	if diff := g.GetSampleSum() - want.GetSampleSum(); math.Abs(diff) > 1e-9*want.GetSampleSum() {
		t.Errorf("%s: sum %v, want %v", name, g.GetSampleSum(), want.GetSampleSum())
	}
	g.SampleSum, g.CreatedTimestamp = want.SampleSum, want.CreatedTimestamp
	if !proto.Equal(g, want) {
		t.Errorf("%s:\n got %v\nwant %v", name, g, want)
	}
}

func TestAnythingHasABucket(t *testing.T) {
	var h histogram
	for _, d := range []time.Duration{-1, math.MinInt64, math.MaxInt64, 1000 * time.Hour} {
		h.observe(d)
	}
	if h.count() != 4 || h.native[0] != 2 || h.native[nativeBuckets-1] != 2 || h.classic[len(edges)] != 2 {
		t.Errorf("%v %v", h.native, h.classic)
	}
}

func TestManyBucketsBecomeCoarser(t *testing.T) {
	var h histogram
	for i := range upper[:nativeBuckets-1] {
		for range i + 1 {
			h.observe(time.Duration(upper[i]))
		}
	}
	x := h.expose(time.Now())
	if x.GetSchema() != schema-1 || len(x.PositiveDelta) > maxNative {
		t.Fatalf("schema %d, %d buckets", x.GetSchema(), len(x.PositiveDelta))
	}
	// Each pair's count is in the bucket that ends where the second of them did.
	key, n := int(x.PositiveSpan[0].GetOffset()), int64(0)
	total := x.GetZeroCount()
	for i, d := range x.PositiveDelta {
		n += d
		total += uint64(n)
		second := (key+i)*2 - firstKey + 1 // its index in native
		want := uint64(0)
		for _, k := range []int{second - 1, second} {
			if k >= 1 && k < nativeBuckets {
				want += h.native[k]
			}
		}
		if uint64(n) != want {
			t.Errorf("bucket %d of schema 2 has %d, want %d", key+i, n, want)
		}
	}
	if total != x.GetSampleCount() {
		t.Errorf("buckets have %d, count is %d", total, x.GetSampleCount())
	}
}

func FuzzBucket(f *testing.F) {
	for _, d := range atBounds() {
		f.Add(uint64(d))
	}
	f.Add(uint64(math.MaxUint64))
	f.Fuzz(func(t *testing.T, ns uint64) {
		n, c := bucketsOf(ns)
		if ns > upper[n] || n > 0 && ns <= upper[n-1] {
			t.Errorf("%d ns is in native bucket %d", ns, n)
		}
		if c < len(edges) && ns > uint64(edges[c]) || c > 0 && ns <= uint64(edges[c-1]) {
			t.Errorf("%d ns is in classic bucket %d", ns, c)
		}
	})
}
