package align

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// world is a broker whose threads sleep when they have nothing to do, and wait for
// monitors, and two who saw it. Times are ns of the kernel's clock.
type world struct {
	sleeps Sleeps
	was    []Wait // as they were
	seen   []Wait // by the other's clock, in the order of its file
	since  int64  // when that clock began
}

// weather is what happens in a world.
type weather struct {
	seconds int
	clock   func(t int64) (other int64, chunk int) // the other's clock
	from    int64                                  // from when on sleeps are seen
	before  int64                                  // for how long the other's clock has gone before
	lost    float64                                // share of the sleeps that are not seen
	burst   bool                                   // waits come every five seconds only
}

const (
	begin   = int64(1_796_000_000_000_000_000)
	second  = int64(1_000_000_000)
	threads = 8
)

func same(t int64) (int64, int) { return t, 0 }

// make lets the threads of a world live.
func (w weather) make(seed uint64) *world {
	random := rand.New(rand.NewPCG(seed, 1))
	out := &world{since: begin - w.before}
	type both struct {
		kernel, other Wait
		chunk         int
	}
	var all []both
	between := func(least, most int64) int64 { return least + random.Int64N(most-least) }
	sleep := func(tid int32, start, end int64) {
		if end >= begin+w.from && random.Float64() >= w.lost {
			out.sleeps.Add(tid, start, end)
		}
	}
	for tid := range int32(threads + 2) {
		for t := begin + between(0, 10_000_000); t < begin+int64(w.seconds)*second; {
			idle := int64(random.ExpFloat64() * 10e6)
			sleep(tid, t, t+idle)
			t += idle + between(50_000, 500_000)
			if w.burst && (t-begin)/second%5 != 0 || random.IntN(6) > 0 {
				continue
			}
			start, length := t, int64(random.ExpFloat64()*2e6)
			t += between(5_000, 40_000)
			for parts := 1 + random.IntN(6)/5; parts > 0; parts-- { // some sleep twice
				if random.IntN(50) > 0 && tid < threads {
					sleep(tid, t, t+length)
				}
				t += length + between(1_000, 3_000)
			}
			t += between(4_000, 22_000)
			k := Wait{start, t, tid}
			end, chunk := w.clock(t)
			from, at := w.clock(start)
			if at != chunk {
				from = end - (t - start)
			}
			all = append(all, both{k, Wait{from, end, tid}, chunk})
		}
	}
	slices.SortFunc(all, func(a, b both) int {
		return cmp.Or(cmp.Compare(a.chunk, b.chunk), cmp.Compare(a.other.End, b.other.End))
	})
	for _, x := range all {
		out.was, out.seen = append(out.was, x.kernel), append(out.seen, x.other)
	}
	return out
}

func (w *world) align() *Alignment {
	return w.sleeps.Align(w.since, len(w.seen), func(i int) Wait { return w.seen[i] })
}
