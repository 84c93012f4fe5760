package event

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQueueOrders(t *testing.T) {
	q := NewQueue(1000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 500 {
		q.Push(Source(i%2), &Wake{Time: Time(r.IntN(100))})
	}
	var got []Time
	q.Advance(49, func(e Event) { got = append(got, e.At()) })
	if len(got) == 0 || !slices.IsSorted(got) || got[len(got)-1] > 49 {
		t.Fatalf("handed on %v", got)
	}
	q.Advance(1000, func(e Event) { got = append(got, e.At()) })
	if len(got) != 500 || !slices.IsSorted(got) {
		t.Errorf("%d events, in order: %v", len(got), slices.IsSorted(got))
	}
}

// At one instant packets come before probes, and each source keeps its order,
// whatever the order of the pushes: a replay must not differ.
func TestQueueTies(t *testing.T) {
	q := NewQueue(10)
	q.Push(Probes, &Wake{Time: 5, Thread: Thread{TID: 3}})
	q.Push(Probes, &Wake{Time: 5, Thread: Thread{TID: 4}})
	q.Push(Packets, &Wake{Time: 5, Thread: Thread{TID: 1}})
	q.Push(Packets, &Wake{Time: 5, Thread: Thread{TID: 2}})
	var got []int32
	q.Advance(5, func(e Event) { got = append(got, e.(*Wake).TID) })
	if !slices.Equal(got, []int32{1, 2, 3, 4}) {
		t.Errorf("order %v", got)
	}
}

func TestQueueCounts(t *testing.T) {
	q := NewQueue(2)
	for i := range 3 {
		q.Push(Packets, &Wake{Time: Time(i)})
	}
	q.Advance(10, func(Event) {})
	q.Push(Packets, &Wake{Time: 5})
	if s := q.Stats(); s != (QueueStats{Pending: 1, Dropped: 1, Late: 1}) {
		t.Errorf("%+v", s)
	}
}

func TestClock(t *testing.T) {
	var c Clock
	if c.Unix(7) != 7 || c.Mono(7) != 7 {
		t.Error("an empty clock changes times")
	}
	c.Calibrate(Calibration{Mono: 100, Offset: 1000})
	c.Calibrate(Calibration{Mono: 200, Offset: 1005})
	for _, x := range []struct {
		mono Time
		unix int64
	}{{50, 1050}, {100, 1100}, {199, 1199}, {200, 1205}, {300, 1305}} {
		if got := c.Unix(x.mono); got != x.unix {
			t.Errorf("Unix(%d) = %d, want %d", x.mono, got, x.unix)
		}
		if got := c.Mono(x.unix); got != x.mono {
			t.Errorf("Mono(%d) = %d, want %d", x.unix, got, x.mono)
		}
	}
}

// What is asked while measurements come in is answered by one of them.
func TestClockIsShared(t *testing.T) {
	const far, n = Time(1 << 40), 3 * maxCalibrations
	var c Clock
	c.Calibrate(Calibration{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			c.Calibrate(Calibration{Mono: Time(i), Offset: int64(i)})
		}
	}()
	for asking := true; asking; {
		select {
		case <-done:
			asking = false
		default:
		}
		if u := c.Unix(far); u < int64(far) || u >= int64(far)+n {
			t.Fatal(u)
		}
	}
	if u := c.Unix(far); u != int64(far)+n-1 {
		t.Error(u)
	}
}

func BenchmarkQueue(b *testing.B) {
	q := NewQueue(1 << 20)
	e := &Wake{}
	b.ReportAllocs()
	for i := range b.N {
		e.Time = Time(i)
		q.Push(Probes, e)
		if i%1000 == 999 {
			q.Advance(Time(i), func(Event) {})
		}
	}
}
