package bpf

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The smallest log that mkfs can be brought to make, and threads that fill it by making and
// removing directories: an fsync that has blocks to allocate has to wait for room.
func TestLogGrant(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.SlowWait = -1
		o.see = append(o.see, SubjectWrite, SubjectFsync)
		p := open(t, o)
		if backendOf(p, SubjectFsync) == TpBTF {
			t.Skip("an fsync on XFS has no events of its own")
		}
		fs := mount(t, 320, "", "mkfs.xfs", "-q", "-f", "--unsupported", "-l", "size=6m")
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		var stop atomic.Bool
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() { churn(t, filepath.Join(fs.dir, fmt.Sprint(i)), &stop) })
		}
		f := createSegment(t, fs.dir, "orders-0", segment)
		var waits, all []seen
		for end := time.Now().Add(5 * time.Second); len(waits) == 0 && time.Now().Before(end); {
			for i := range 50 {
				_, err := f.WriteAt(batch(byte(i), 5000), int64(i)*8192)
				if err := errorsOf(err, unix.Fsync(int(f.Fd()))); err != nil {
					t.Error(err)
				}
			}
			if err := f.Truncate(0); err != nil {
				t.Error(err)
			}
			all = append(all, drain(t, p)...)
			waits = only(all, KindJournalWait)
		}
		stop.Store(true)
		wg.Wait()
		if len(waits) == 0 {
			t.Fatal("the log never was full")
		}
		for _, s := range waits {
			check(t, "what", s.JournalWait.Kind, WaitGrant)
			check(t, "device", s.JournalWait.Device, fs.dev)
			if !isInside(all, s.TID, s.JournalWait.Start, s.Time) {
				t.Errorf("%d..%d of %d is inside of nothing", s.JournalWait.Start, s.Time, s.TID)
			}
			t.Logf("waited %v", time.Duration(s.Time-s.JournalWait.Start))
		}
	}, SubjectLogGrant)
}

// churn makes and removes directories, fifty at a time.
func churn(t *testing.T, dir string, stop *atomic.Bool) {
	err := os.Mkdir(dir, 0o700)
	for i := 0; err == nil && !stop.Load(); i++ {
		err = os.Mkdir(filepath.Join(dir, fmt.Sprint(i)), 0o700)
		if i%50 == 49 {
			for j := i - 49; j <= i; j++ {
				err = errorsOf(err, os.Remove(filepath.Join(dir, fmt.Sprint(j))))
			}
		}
	}
	if err != nil {
		t.Error(err)
	}
}

// An fsync on XFS forces the log on its own thread, and not for longer than it
// takes itself.
func TestLogForce(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.SlowForce = -1
		o.see = append(o.see, SubjectFsync) // without BTF of XFS forces are seen inside of one
		p := open(t, o)
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		fs := plainXFS(t)
		f := createSegment(t, fs.dir, "orders-0", segment)
		force := func() (tid int32, before, after int64) {
			onThread(func(id int32) {
				_, err := f.Write(batch(0, 5000))
				tid, before = id, monotonic()
				if err := errorsOf(err, unix.Fsync(int(f.Fd()))); err != nil {
					t.Error(err)
				}
				after = monotonic()
			})
			return
		}
		force()
		check(t, "forces on an unwatched device", len(only(drain(t, p), KindLogForce)), 0)
		if err := p.WatchDevice(fs.dev); err != nil {
			t.Fatal(err)
		}
		tid, before, after := force()
		mine := 0
		for _, s := range only(drain(t, p), KindLogForce) {
			check(t, "device", s.LogForce.Device, fs.dev)
			if s.TID != tid {
				continue // XFS's own
			}
			mine++
			check(t, "flags", s.LogForce.Flags, 1) // XFS_LOG_SYNC
			check(t, "comm", string(s.LogForce.Comm), comm(t))
			if !(before <= s.LogForce.Start && s.LogForce.Start < s.Time && s.Time <= after) {
				t.Errorf("%d..%d is not within %d..%d", s.LogForce.Start, s.Time, before, after)
			}
		}
		check(t, "forces", mine, 1)
	}, SubjectLogForce)
}
