package page

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Whatever comes in whatever order, each latency stands in its column and its row.
func TestTimeline(t *testing.T) {
	for name, origin := range map[string]int64{"unix": 1_795_455_184_115_739_790, "zero": 0, "before": -3_000_000_001} {
		r := rand.New(rand.NewPCG(1, 2))
		for _, length := range []int64{1, 1e6, 2e9, 5e11, 9e15} {
			var l timeline
			type one struct{ at, ns int64 }
			var all []one
			for range 3000 {
				x := one{origin + r.Int64N(length), int64(math.Exp(r.Float64() * 26))}
				all = append(all, x)
				l.add(seriesWrites, x.at, x.ns, x.ns > 1e9)
			}
			if len(l.columns) > maxColumns || length > 2*maxColumns*columnStart && len(l.columns) < maxColumns/4 {
				t.Errorf("%s, %d long: %d columns", name, length, len(l.columns))
			}
			want := map[[2]int64]uint64{}
			slow := uint64(0)
			for _, x := range all {
				i := x.at / l.width
				if x.at < 0 && x.at%l.width != 0 {
					i--
				}
				want[[2]int64{i - l.first, int64(rowOf(x.ns))}]++
				if x.ns > 1e9 {
					slow++
				}
			}
			total := uint64(0)
			for i, c := range l.columns {
				slow -= c.slow
				for row, n := range c.cells[seriesWrites] {
					total += n
					if want[[2]int64{int64(i), int64(row)}] != n {
						t.Errorf("%s, %d long: column %d row %d has %d", name, length, i, row, n)
					}
				}
			}
			if total != uint64(len(all)) || slow != 0 {
				t.Errorf("%s, %d long: %d counted of %d, slow off by %d", name, length, total, len(all), slow)
			}
		}
	}
}

func TestRows(t *testing.T) {
	for ns, want := range map[int64]int{0: 0, 999: 0, 1000: 1, 1258: 1, 1259: 2, 9_999: 10, 10_000: 11, 65_000_000: 49, 99_999_999_999: 80, 100_000_000_000: 81, math.MaxInt64: 81} {
		if got := rowOf(ns); got != want {
			t.Errorf("%d ns is in row %d, want %d", ns, got, want)
		}
	}
}
