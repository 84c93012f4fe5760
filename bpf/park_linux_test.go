package bpf

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futex calls of include/uapi/linux/futex.h, with FUTEX_PRIVATE_FLAG.
const (
	futexWait       = 0 | 128
	futexWake       = 1 | 128
	futexWaitBitset = 9 | 128
	anyBit          = 0xffffffff
)

// waitFutex waits as its command says, for 0 ns without a limit; that of a
// bitset is an instant.
func waitFutex(t *testing.T, word *uint32, command uintptr, limit time.Duration) {
	var until *unix.Timespec
	if limit > 0 {
		ns := int64(limit)
		if command == futexWaitBitset {
			ns += monotonic()
		}
		ts := unix.NsecToTimespec(ns)
		until = &ts
	}
	_, _, err := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), command, 0, uintptr(unsafe.Pointer(until)), 0, anyBit)
	if err != 0 && err != unix.ETIMEDOUT && err != unix.EAGAIN && err != unix.EINTR {
		t.Error(err)
	}
}

// A thread that has written a segment is parked as long as it is asleep as for a
// condition variable, and who wakes it is known.
func TestPark(t *testing.T) {
	p := open(t, Options{see: []string{SubjectWrite, SubjectWake, SubjectPark}})
	needSubject(t, p, SubjectPark)
	f := createSegment(t, memory(t), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	const timed, held = 20 * time.Millisecond, 30 * time.Millisecond
	var waiter, stranger, waker int32
	var from, woken, to [3]int64
	var word uint32
	onThread(func(tid int32) {
		stranger = tid // which writes nothing
		waitFutex(t, &word, futexWaitBitset, timed)
	})
	onThread(func(tid int32) {
		waiter = tid
		if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
			t.Error(err)
		}
		from[0] = monotonic()
		waitFutex(t, &word, futexWaitBitset, timed)
		to[0] = monotonic()
		waitFutex(t, &word, futexWait, timed) // a mutex, a safepoint
		woke := make(chan struct{})
		go func() {
			defer close(woke)
			onThread(func(me int32) {
				waker = me
				time.Sleep(held)
				for n := uintptr(0); n == 0; {
					woken[1] = monotonic()
					n, _, _ = unix.Syscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&word)), futexWake, 1)
				}
			})
		}()
		from[1] = monotonic()
		waitFutex(t, &word, futexWaitBitset, 0)
		to[1] = monotonic()
		<-woke
	})
	var parks []seen
	for _, s := range only(drain(t, p), KindPark) {
		if s.TID == stranger {
			t.Error("a park of a thread that has written nothing")
		}
		if s.TID == waiter {
			parks = append(parks, s)
		}
	}
	if len(parks) != 2 {
		t.Fatalf("%d parks, want 2: %+v", len(parks), parks)
	}
	for i, s := range parks {
		check(t, "tgid", s.TGID, int32(os.Getpid()))
		check(t, "comm", string(s.Park.Comm), comm(t))
		check(t, "kernel", s.Park.Kernel, true)
		check(t, "timed", s.Park.Timed, i == 0)
		check(t, "futex", s.Park.Futex, uint32(uintptr(unsafe.Pointer(&word))>>3))
		if s.Park.Start < from[i] || s.Park.Woken < max(woken[i], s.Park.Start) || s.Time < s.Park.Woken || s.Time > to[i] {
			t.Errorf("park %d..%d..%d, by the thread's own clock %d..%d..%d", s.Park.Start, s.Park.Woken, s.Time, from[i], woken[i], to[i])
		}
	}
	check(t, "waker of one whose limit was over", parks[0].Park.Waker, 0)
	check(t, "waker", parks[1].Park.Waker, waker)
}

// After a park the next wake-up of another is told, although nothing was written
// or waited for since the last.
func TestParkTellsTheNextWake(t *testing.T) {
	p := open(t, Options{see: []string{SubjectWrite, SubjectWake, SubjectPark}})
	needSubject(t, p, SubjectPark)
	f := createSegment(t, memory(t), "orders-0", segment)
	event, err := unix.Eventfd(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(event)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	var me int32
	var word uint32
	onThread(func(tid int32) {
		me = tid
		wake := func() {
			if _, err := unix.Write(event, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
				t.Error(err)
			}
		}
		if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
			t.Error(err)
		}
		wake()
		wake() // tells nothing
		waitFutex(t, &word, futexWaitBitset, time.Millisecond)
		wake()
	})
	var kinds []Kind
	for _, s := range drain(t, p) {
		if s.TID == me {
			kinds = append(kinds, s.Kind)
		}
	}
	want := []Kind{KindWrite, KindWake, KindPark, KindWake}
	if len(kinds) != len(want) {
		t.Fatalf("%v, want %v", kinds, want)
	}
	for i := range want {
		check(t, "record", kinds[i], want[i])
	}
}

// BenchmarkPark measures what the programs cost: two threads of a process that
// nobody is known of hand a byte to and fro, and two threads that have written a
// segment wake each other, two parks an operation. Compare with "detached".
func BenchmarkPark(b *testing.B) {
	needRoot(b)
	for _, see := range [][]string{{SubjectWrite}, {SubjectWrite, SubjectPark}} {
		name := []string{"detached", "attached"}[len(see)-1]
		b.Run("others/"+name, func(b *testing.B) {
			open(b, Options{see: see})
			pingPong(b)
		})
		b.Run("parks/"+name, func(b *testing.B) {
			p := open(b, Options{see: see, RingSize: 64 << 20}) // whose reader is never woken
			if err := p.Trace(int32(os.Getpid())); err != nil {
				b.Fatal(err)
			}
			handOver(b, createSegment(b, memory(b), "orders-0", segment))
		})
	}
}

// handOver has two threads on one CPU take turns by futexes.
func handOver(b *testing.B, f *os.File) {
	var words [2]uint32
	var one unix.CPUSet
	one.Set(0)
	take := func(me int) {
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			b.Error(err)
		}
		if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
			b.Error(err)
		}
		for n := range b.N {
			for me == 1 || n > 0 {
				if atomic.LoadUint32(&words[me]) != 0 {
					break
				}
				_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&words[me])), futexWaitBitset, 0, 0, 0, anyBit)
			}
			atomic.StoreUint32(&words[me], 0)
			atomic.StoreUint32(&words[1-me], 1)
			_, _, _ = unix.Syscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&words[1-me])), futexWake, 1)
		}
	}
	var both sync.WaitGroup
	b.ResetTimer()
	for me := range 2 {
		both.Go(func() { onThread(func(int32) { take(me) }) })
	}
	both.Wait()
	b.StopTimer()
}
