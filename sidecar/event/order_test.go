package event

import (
	"math/rand/v2"
	"slices"
	"testing"
)

type number int

func (n number) Less(m number) bool { return n < m }

// Whatever comes however much out of order leaves in order.
func TestOrderOrders(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, spread := range []int{1, 10, 1000, 100_000} {
		var o Order[number]
		var want, got []number
		for i := range 20_000 {
			x := number(i + r.IntN(spread))
			want = append(want, x)
			o.Push(x)
		}
		if o.Len() != len(want) {
			t.Fatalf("%d held of %d", o.Len(), len(want))
		}
		for o.Len() > 0 {
			top := o.Top()
			if got = append(got, o.Pop()); got[len(got)-1] != top {
				t.Fatalf("%d taken off, %d was on top", got[len(got)-1], top)
			}
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("spread %d: not in order", spread)
		}
	}
}

// While items come and go, what leaves is the least of what is there, and
// nothing is kept of what has left.
func TestOrderComesAndGoes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var o Order[number]
	var held Heap[number]
	for i := range 100_000 {
		if r.IntN(2) == 0 || held.Len() == 0 {
			x := number(i + r.IntN(200))
			o.Push(x)
			held.Push(x)
			continue
		}
		if a, b := o.Pop(), held.Pop(); a != b {
			t.Fatalf("%d, should be %d", a, b)
		}
	}
	if o.Len() != held.Len() || len(o.items) > 2*o.Len()+2048 {
		t.Errorf("%d held, should be %d; room for %d", o.Len(), held.Len(), len(o.items))
	}
}

func BenchmarkOrder(b *testing.B) {
	var o Order[number]
	for i := range 30_000 {
		o.Push(number(i))
	}
	b.ReportAllocs()
	for i := range b.N {
		o.Push(number(30_000 + i))
		o.Pop()
	}
}

func BenchmarkHeap(b *testing.B) {
	var h Heap[number]
	for i := range 30_000 {
		h.Push(number(i))
	}
	b.ReportAllocs()
	for i := range b.N {
		h.Push(number(30_000 + i))
		h.Pop()
	}
}
