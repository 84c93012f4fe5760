package bpf

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A file system that is frozen holds a write up for as long as one wants.
func TestOffCPUAsleep(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		mnt := ext4(t)
		f := createSegment(t, mnt, "orders-0", segment)
		root, err := os.Open(mnt)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		const held = 60 * time.Millisecond
		var w timed
		onThread(func(tid int32) {
			w.tid = tid
			write := func() {
				before := threadCPU()
				if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
					t.Error(err)
				}
				w.cpu = threadCPU() - before
			}
			write() // all that is slow but once
			freeze(t, root, true)
			go thaw(t, root, tid, held)
			write()
		})
		all := drain(t, p)
		writes, stays := only(all, KindWrite), only(all, KindOffCPU)
		if len(writes) != 2 || len(stays) == 0 {
			t.Fatalf("%d writes, %d stays", len(writes), len(stays))
		}
		check(t, "tid", writes[1].TID, w.tid)
		got := split(t, &writes[1], stays)
		t.Logf("%+v, the thread's own CPU time %d", got, w.cpu)
		if got.sleep < int64(held)*9/10 {
			t.Errorf("asleep for %d of %d", got.sleep, held)
		}
		if lostStays(t, p) > 0 {
			t.Skip("the end of a stay was not told")
		}
		// The thread's clock covers both system calls' ends too.
		if d := w.cpu - got.on; d < -50_000 || d > around(t, got.whole/20) {
			t.Errorf("on the CPU for %d, the thread's own clock says %d", got.on, w.cpu)
		}
		longest := slices.MaxFunc(stays, func(a, b seen) int { return int((a.Time - a.OffCPU.Start) - (b.Time - b.OffCPU.Start)) })
		names := functions(t, longest.OffCPU.Stack)
		t.Log(strings.Join(names, " < "))
		check(t, "tgid", longest.TGID, int32(os.Getpid()))
		check(t, "comm", string(longest.OffCPU.Comm), comm(t))
		check(t, "preempted", longest.OffCPU.Preempted, false)
		check(t, "schedule in the stack", hasFunction(names, "schedule"), true)
		check(t, "the freeze in the stack", hasFunction(names, "percpu_rwsem_wait", "percpu_down_read"), true)
		check(t, "the write in the stack", hasFunction(names, "vfs_write"), true)
	}, SubjectWrite, SubjectOffCPU)
}

// Two threads that want the same CPU: the one that writes is put off it, inside
// its writes too.
func TestOffCPUPreempted(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.StackFrom = time.Millisecond
		p := open(t, o)
		f := createSegment(t, memory(t), "orders-0", segment)
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		var one unix.CPUSet
		one.Set(0)
		stop := make(chan struct{})
		var burner sync.WaitGroup
		burner.Go(func() {
			onThread(func(int32) {
				if err := unix.SchedSetaffinity(0, &one); err != nil {
					t.Error(err)
				}
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		})
		b := batch(0, 4<<20)
		var cpu []int64
		stolen := steal(t)
		onThread(func(int32) {
			if err := unix.SchedSetaffinity(0, &one); err != nil {
				t.Error(err)
			}
			for end := monotonic() + int64(400*time.Millisecond); monotonic() < end; {
				before := threadCPU()
				if _, err := unix.Pwrite(int(f.Fd()), b, 0); err != nil {
					t.Error(err)
				}
				cpu = append(cpu, threadCPU()-before)
			}
		})
		close(stop)
		burner.Wait()
		all := drain(t, p)
		writes, stays := only(all, KindWrite), only(all, KindOffCPU)
		check(t, "writes", len(writes), len(cpu))
		var sum parts
		var own int64
		for i := range writes {
			one := split(t, &writes[i], stays)
			sum.whole, sum.on, sum.sleep, sum.queue = sum.whole+one.whole, sum.on+one.on, sum.sleep+one.sleep, sum.queue+one.queue
			own += cpu[i]
		}
		t.Logf("%d writes, %d stays: %+v, the thread's own CPU time %d", len(writes), len(stays), sum, own)
		preempted := slices.DeleteFunc(stays, func(s seen) bool { return !s.OffCPU.Preempted })
		if len(preempted) == 0 || sum.queue < int64(10*time.Millisecond) {
			t.Errorf("preempted %d times, %d ns", len(preempted), sum.queue)
		}
		// What else the thread's clock covers is the system call around each write
		// and what is done at a switch; what it does not is the time that the host
		// took from this CPU, which is told in ticks, and the stays that were lost,
		// of some slices each.
		missed := lostStays(t, p) * int64(20*time.Millisecond)
		stolen = steal(t) - stolen + int64(10*time.Millisecond)
		if d := own - sum.on; d < -own/50-stolen-missed || d > around(t, own/20+int64(len(writes))*20_000) {
			t.Errorf("on the CPU for %d, the thread's own clock says %d", sum.on, own)
		}
		for _, s := range stays {
			if long := s.Time-s.OffCPU.Start >= int64(time.Millisecond); long != (s.OffCPU.Stack.Len() > 0) {
				t.Errorf("a stay of %d ns has %d addresses", s.Time-s.OffCPU.Start, s.OffCPU.Stack.Len())
			}
		}
	}, SubjectWrite, SubjectOffCPU)
}

// A write past the page cache waits for the disk.
func TestOffCPUForIO(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.StackFrom = -1
		p := open(t, o)
		f := createSegment(t, ext4(t), "orders-0", segment)
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFL, unix.O_DIRECT); err != nil {
			t.Fatal(err)
		}
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		b := aligned(64 << 10)
		for i := range 10 {
			if _, err := f.WriteAt(b, int64(i)<<16); err != nil {
				t.Fatal(err)
			}
		}
		waits := 0
		for _, s := range only(drain(t, p), KindOffCPU) {
			if !s.OffCPU.IO {
				continue
			}
			waits++
			if names := functions(t, s.OffCPU.Stack); !hasFunction(names, "dio_rw") || !hasFunction(names, "vfs_write") {
				t.Errorf("waits for I/O in %v", names)
			}
		}
		if waits == 0 {
			t.Error("no wait for I/O")
		}
	}, SubjectWrite, SubjectOffCPU)
}

// An fsync waits for the journal, and the disk.
func TestOffCPUInFsync(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		f := createSegment(t, ext4(t), "orders-0", segment)
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(batch(0, 1<<20)); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		all := drain(t, p)
		syncs := only(all, KindFsync)
		if len(syncs) != 1 {
			t.Fatalf("%d fsyncs", len(syncs))
		}
		var off int64
		for _, s := range only(all, KindOffCPU) {
			if s.TID != syncs[0].TID || s.OffCPU.Start < syncs[0].Fsync.Start || s.Time > syncs[0].Time {
				continue
			}
			off += s.Time - s.OffCPU.Start
			if names := functions(t, s.OffCPU.Stack); len(names) > 0 && !hasFunction(names, "sync") {
				t.Errorf("off its CPU in %v", names)
			}
		}
		whole := syncs[0].Time - syncs[0].Fsync.Start
		t.Logf("off the CPU for %d of %d", off, whole)
		if off < whole/2 {
			t.Error("an fsync is mostly waiting")
		}
	}, SubjectFsync, SubjectOffCPU)
}

// Outside of writes nothing is seen of a thread, nor is anything left behind.
func TestOffCPUOutside(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		f := createSegment(t, memory(t), "orders-0", segment)
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		onThread(func(int32) {
			for range 20 {
				if _, err := unix.Pwrite(int(f.Fd()), batch(0, 100), 0); err != nil {
					t.Error(err)
				}
				_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
			}
		})
		all := drain(t, p)
		writes := only(all, KindWrite)
		check(t, "writes", len(writes), 20)
		for _, s := range only(all, KindOffCPU) {
			if !slices.ContainsFunc(writes, func(w seen) bool { return s.OffCPU.Start >= w.Write.Start && s.Time <= w.Time }) {
				t.Errorf("off CPU %d..%d in no write", s.OffCPU.Start, s.Time)
			}
		}
		check(t, "threads off the CPU", awayCount(t, p), 0)
	}, SubjectWrite, SubjectOffCPU)
}

// The end of a stay that was not seen is counted, and that stay does not last
// until the end of the next one, inside a write or not.
func TestOffCPUUnseen(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		mnt := ext4(t)
		f := createSegment(t, mnt, "orders-0", segment)
		root, err := os.Open(mnt)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		onThread(func(tid int32) {
			markAway(t, p, tid)
			_ = unix.Nanosleep(&unix.Timespec{Nsec: 1e6}, nil)
			freeze(t, root, true)
			go thaw(t, root, tid, 0)
			markAway(t, p, tid)
			if _, err := unix.Write(int(f.Fd()), batch(0, 100)); err != nil {
				t.Error(err)
			}
		})
		all := drain(t, p)
		writes := only(all, KindWrite)
		check(t, "writes", len(writes), 1)
		for _, s := range only(all, KindOffCPU) {
			if s.OffCPU.Start < writes[0].Write.Start {
				t.Errorf("a stay of %v", time.Duration(s.Time-s.OffCPU.Start))
			}
		}
		if n := lostStays(t, p); n < 2 {
			t.Errorf("%d stays lost", n)
		}
		check(t, "threads off the CPU", awayCount(t, p), 0)
	}, SubjectWrite, SubjectOffCPU)
}

// markAway says of a thread that it has been off its CPU since the host started.
func markAway(t *testing.T, p *Probes, tid int32) {
	t.Helper()
	away := make([]byte, p.shared.Maps[probesMapAway].ValueSize())
	away[0], away[1] = byte(KindOffCPU), recordVersion
	n := awayCount(t, p) + 1
	err := errorsOf(p.shared.Maps[".bss"].Put(uint32(0), n), p.shared.Maps[probesMapAway].Put(uint32(tid), away))
	if err != nil {
		t.Error(err)
	}
}

func awayCount(t *testing.T, p *Probes) (n uint64) {
	t.Helper()
	if err := p.shared.Maps[".bss"].Lookup(uint32(0), &n); err != nil {
		t.Error(err)
	}
	return n
}
