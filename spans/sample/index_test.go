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
				at, twin := ring.push(who)
				if *at = step; twin != nil {
					t.Fatalf("seed %d: a twin of none", seed)
				}
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
		for _, slot := range ring.index.table {
			if slot != (entry{}) {
				t.Fatalf("seed %d: the index is not empty", seed)
			}
		}
	}
}

func has(m map[spans.TraceID]int, id spans.TraceID) bool { _, ok := m[id]; return ok }

// A ring has an id once, with its last value.
func TestRingOfTwins(t *testing.T) {
	ring := newRing[int](3)
	for n := range 10 {
		v, twin := ring.push(id(uint64(n % 2)))
		if (twin != nil) != (n >= 2) || twin != nil && *twin != n-2 || ring.n != min(n+1, 2) {
			t.Fatalf("%d: twin %v, %d there", n, twin, ring.n)
		}
		*v = n
	}
	if v, ok := ring.take(id(0)); !ok || v != 8 {
		t.Errorf("%d, %v", v, ok)
	}
}

func TestZeroRingTakesNothing(t *testing.T) {
	var r ring[int]
	if _, ok := r.take(id(1)); ok || r.has(id(1)) {
		t.Error("something is in nothing")
	}
}

// Of slots with one id the last is found, and goes without the others' harm.
func TestIndexOfTwins(t *testing.T) {
	ids := []spans.TraceID{id(1), id(1), id(2)}
	x := newIndex(3)
	for at := range ids {
		x.put(ids, at)
	}
	found := func(id spans.TraceID) int { return x.find(ids, &id) }
	x.remove(ids, 0) // not found any more: nothing to do
	if found(id(1)) != 1 || found(id(2)) != 2 {
		t.Error("the wrong slot")
	}
	x.remove(ids, 1)
	if found(id(1)) != -1 || found(id(2)) != 2 {
		t.Error("not removed")
	}
}
