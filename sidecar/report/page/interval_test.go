package page

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Figures of Wilson's interval from Newcombe 1998 (table I) and by R's prop.test
// without correction.
func TestWilson(t *testing.T) {
	for _, x := range []struct {
		k, n      uint64
		low, high float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {29, 29, 0.8830, 1}} {
		low, high := wilson(x.k, x.n)
		if math.Abs(low-x.low) > 5e-5 || math.Abs(high-x.high) > 5e-5 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", x.k, x.n, low, high, x.low, x.high)
		}
	}
}

// The ranks of a median are in tables (Conover: n = 10 has 2 and 9, n = 20 has 6 and 15).
func TestRanks(t *testing.T) {
	for _, x := range []struct{ n, thousandths, low, high uint64 }{
		{10, 500, 2, 9}, {20, 500, 6, 15}, {100, 500, 40, 61}, {5, 500, 0, 6}, {100, 999, 99, 101}, {1, 500, 0, 2}, {0, 500, 0, 1},
	} {
		if low, high := ranks(x.n, x.thousandths); low != x.low || high != x.high {
			t.Errorf("p%d of %d values: %d to %d, want %d to %d", x.thousandths, x.n, low, high, x.low, x.high)
		}
	}
}

// Of many samples the intervals hold the true quantile as often as they say, or a
// little more often.
func TestRanksCover(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, thousandths := range []uint64{500, 990, 999} {
		const tries, n = 1000, 5000
		low, high := ranks(n, thousandths)
		held := 0
		for range tries {
			all := make([]float64, n)
			for i := range all {
				all[i] = r.Float64()
			}
			slices.Sort(all)
			q := float64(thousandths) / 1000
			if all[low-1] <= q && q <= all[high-1] {
				held++
			}
		}
		if share := float64(held) / tries; share < Confidence-0.015 || share > 0.985 {
			t.Errorf("p%d: ranks %d to %d of %d hold it in %.1f %%", thousandths, low, high, n, 100*share)
		}
	}
}
