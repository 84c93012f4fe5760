package bpf

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// timed is a write with its thread's own CPU time around it.
type timed struct {
	tid int32
	cpu int64 // ns
}

func threadCPU() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts)
	return ts.Nano()
}

// steal is how long the host of this virtual machine has run others on CPU 0
// (proc(5), /proc/stat).
func steal(t *testing.T) int64 {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(stat)) {
		if f := strings.Fields(line); f[0] == "cpu0" && len(f) > 8 {
			ticks, _ := strconv.ParseInt(f[8], 10, 64)
			return ticks * int64(10*time.Millisecond)
		}
	}
	return 0
}

// parts of a write's time, in nanoseconds.
type parts struct{ whole, on, sleep, queue int64 }

// split takes the stays off the CPU, of its thread alone and in order, out of a
// write, which they must lie in.
func split(t *testing.T, w *seen, stays []seen) (p parts) {
	t.Helper()
	p.whole = w.Time - w.Write.Start
	last := w.Write.Start
	first := sort.Search(len(stays), func(i int) bool { return stays[i].Time >= w.Write.Start })
	for i := first; i < len(stays) && stays[i].OffCPU.Start <= w.Time; i++ {
		s, o := &stays[i], &stays[i].OffCPU
		check(t, "thread", s.TID, w.TID)
		if o.Start < last || s.Time < o.Start || s.Time > w.Time {
			t.Errorf("off CPU %d..%d, write %d..%d, last one until %d", o.Start, s.Time, w.Write.Start, w.Time, last)
		}
		last = s.Time
		switch {
		case o.Preempted:
			check(t, "wake-up of a preempted thread", o.Woken, int64(0))
			p.queue += s.Time - o.Start
		case o.Woken < o.Start || o.Woken > s.Time:
			t.Errorf("woken at %d, off CPU %d..%d", o.Woken, o.Start, s.Time)
		default:
			p.sleep += o.Woken - o.Start
			p.queue += s.Time - o.Woken
		}
	}
	p.on = p.whole - p.sleep - p.queue
	return p
}

// lostStays counts those whose end the kernel's event did not tell: some hosts
// keep tasks of their own out of it.
func lostStays(t *testing.T, p *Probes) int64 {
	t.Helper()
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	return int64(s.Lost[KindOffCPU])
}

// freeze holds up all writes to a file system, or ends that (ioctl_fs(2)).
func freeze(t testing.TB, root *os.File, hold bool) {
	t.Helper()
	request := uint(0xc0045878) // FITHAW
	if hold {
		request = 0xc0045877 // FIFREEZE
	}
	if err := unix.IoctlSetInt(int(root.Fd()), request, 0); err != nil {
		t.Errorf("freeze %t: %v", hold, err)
	}
}

// isAsleep tells an uninterruptible sleep (proc(5), /proc/PID/stat).
func isAsleep(tid int32) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/stat", tid))
	_, rest, ok := strings.Cut(string(stat), ") ")
	return err == nil && ok && strings.HasPrefix(rest, "D")
}

// around is how much time what is around writes may take.
func around(t *testing.T, usual int64) int64 {
	if emulated(t) {
		return 4 * usual
	}
	return usual
}

// emulated tells whether each instruction here is a program of the host's.
func emulated(t *testing.T) bool {
	t.Helper()
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(info), "QEMU TCG")
}

// thaw ends a freeze once a thread has been asleep for so long.
func thaw(t *testing.T, root *os.File, tid int32, held time.Duration) {
	for end := monotonic() + int64(10*time.Second); !isAsleep(tid) && monotonic() < end; {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(held)
	freeze(t, root, false)
}
