package sample

import (
	"math/rand/v2"
	"testing"

	"github.com/tailspan/tailspan/spans"
)

// A ring against a map and a list, in little room, so that slots of the index
// collide and move.
func TestRingAgainstMap(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 7))
		size := 1 + r.IntN(40)
		ring, want := newRing[int](size), map[spans.TraceID]int{}
		var order []spans.TraceID // a zero: taken out
		for step := range 3000 {
			who := id(r.Uint64N(uint64(3 * size)))
			switch _, ok := want[who]; {
			case ok && r.IntN(3) == 0:
				if v, ok := ring.take(who); !ok || v != want[who] {
					t.Fatalf("seed %d: took %d, %v", seed, v, ok)
				}
				delete(want, who)
				for i, o := range order {
					if o == who {
						order[i] = spans.TraceID{}
					}
				}
			case !ok:
				v, forgotten := ring.next()
				if len(order) == size {
					old, had := want[order[0]], !order[0].IsZero()
					if forgotten != had || had && *v != old {
						t.Fatalf("seed %d: forgets %v, %v, not %d, %v", seed, v, forgotten, old, had)
					}
					delete(want, order[0])
					order = order[1:]
				}
				*ring.push(who) = step
				want[who] = step
				order = append(order, who)
			}
			if ring.n != len(want) || ring.has(who) != has(want, who) {
				t.Fatalf("seed %d: %d there, not %d", seed, ring.n, len(want))
			}
		}
		for who, v := range want {
			if got, ok := ring.take(who); !ok || got != v {
				t.Fatalf("seed %d: lost %d", seed, v)
			}
		}
	}
}

func has(m map[spans.TraceID]int, id spans.TraceID) bool { _, ok := m[id]; return ok }

// Of several values of an id the last is taken, and all are there.
func TestRingOfTwins(t *testing.T) {
	ring := newRing[int](4)
	for n := range 10 {
		*ring.push(id(uint64(n % 2))) = n
	}
	if v, ok := ring.take(id(0)); !ok || v != 8 || ring.n != 3 {
		t.Errorf("%d, %v, %d there", v, ok, ring.n)
	}
	for _, want := range []int{6, 7, -1, 9} { // the third was taken
		if v, ok := ring.drop(); ok != (want >= 0) || ok && v != want {
			t.Errorf("%d, %v, not %d", v, ok, want)
		}
	}
}

func TestZeroRingTakesNothing(t *testing.T) {
	var r ring[int]
	if _, ok := r.take(id(1)); ok || r.has(id(1)) {
		t.Error("something is in nothing")
	}
}
