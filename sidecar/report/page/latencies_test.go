package page

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// nearest is the textbook's nearest rank, on floating point.
func nearest(sorted []int64, p float64) int64 {
	return sorted[max(0, int(math.Ceil(p*float64(len(sorted))-1e-9))-1)]
}

func TestPercentilesAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 10, 99, 100, 101, 999, 1000, 1001, 40_000} {
		l := latencies{limit: whole.exact}
		var all []int64
		groups := map[uint16][]int64{}
		for range n {
			v := int64(math.Exp(r.Float64() * 25))
			g := uint16(r.IntN(3)) * 32767
			l.add(g, v)
			all = append(all, v)
			groups[g] = append(groups[g], v)
		}
		slices.Sort(all)
		f := l.copy().sort()
		for _, p := range []uint64{1, 500, 900, 990, 999, 1000} {
			if got, want := f.at(rank(f.count, p)), nearest(all, float64(p)/1000); got != want {
				t.Errorf("%d values: p%d is %d, want %d", n, p, got, want)
			}
		}
		for g, want := range groups {
			slices.Sort(want)
			got := f.group(g)
			if len(got) != len(want) || int64(got[len(got)-1]&maxValue) != want[len(want)-1] {
				t.Errorf("%d values: group %d has %d, want %d", n, g, len(got), len(want))
			}
		}
		if l.max != all[n-1] || !f.exact() {
			t.Errorf("max %d", l.max)
		}
	}
}

// Beyond the bound percentiles are as near as is said, and the rest is exact.
func TestPercentilesBeyondTheBound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	l := latencies{limit: whole.exact}
	var sum int64
	all := make([]int64, whole.exact+1000)
	for i := range all {
		all[i] = int64(math.Exp(r.Float64() * 25))
		sum += all[i]
		l.add(1, all[i])
	}
	slices.Sort(all)
	f := l.copy().sort()
	if f.exact() || l.count != uint64(len(all)) || l.sum != sum || l.max != all[len(all)-1] || len(l.full) != 0 {
		t.Fatalf("exact %v, count %d, sum %d", f.exact(), l.count, l.sum)
	}
	for _, p := range []uint64{500, 900, 990, 999, 1000} {
		got, want := f.at(rank(f.count, p)), nearest(all, float64(p)/1000)
		if off := math.Abs(float64(got-want)) / float64(want); off > HistogramError {
			t.Errorf("p%d: %d, want %d: off by %.4f", p, got, want, off)
		}
	}
}

func TestBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 127, 128, 255, 256, 257, 1000, 1 << 20, 1<<48 - 1, 1<<63 - 1} {
		i := bucketOf(v)
		m := bucketMiddle(i)
		if off := math.Abs(float64(m) - float64(v)); off > 0.5+float64(v)*HistogramError || i >= histogramN {
			t.Errorf("%d is in bucket %d of %d, around %d", v, i, histogramN, m)
		}
	}
}
