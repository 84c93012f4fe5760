package sample

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/spans"
)

// Heaps that grow and shrink by turns give their candidates in order.
func TestHeapOrder(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := newPool()
		var tops [3]uint32
		var want [3][]uint64
		for range 1000 {
			h := r.IntN(3)
			if r.IntN(5) < 3 {
				sum := spans.Summary{ID: id(r.Uint64N(300))} // some twice
				tops[h] = p.meld(tops[h], p.add(held{c: &made{}, sum: sum, rank: randomness(sum.ID)}))
				want[h] = append(want[h], randomness(sum.ID))
				slices.Sort(want[h])
			} else if tops[h] != none {
				if got := p.items[tops[h]].rank; got != want[h][0] {
					t.Fatalf("seed %d: %x on top, not %x", seed, got, want[h][0])
				}
				top := tops[h]
				tops[h], want[h] = p.behead(top), want[h][1:]
				p.release(top)
			}
			if (tops[h] == none) != (len(want[h]) == 0) {
				t.Fatalf("seed %d: lost some", seed)
			}
		}
	}
}
