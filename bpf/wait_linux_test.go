package bpf

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// contend writes on two threads for a while and has a third fsync all the time,
// so that handles wait for transactions that are being locked.
func contend(t *testing.T, dir string, d time.Duration) {
	t.Helper()
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range 2 {
		f := createSegment(t, dir, "orders-"+string(rune('0'+i)), segment)
		wg.Go(func() {
			for n := 0; !stop.Load(); n++ {
				_, err := f.Write(batch(byte(i), 3000))
				if n%5000 == 4999 {
					_, at := f.Seek(0, 0)
					err = errorsOf(err, at, f.Truncate(0))
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	f := createSegment(t, dir, "orders-2", segment)
	wg.Go(func() {
		for i := 0; !stop.Load(); i++ {
			_, err := f.WriteAt(batch(byte(i), 100), int64(i)%1000*100)
			if err := errorsOf(err, unix.Fsync(int(f.Fd()))); err != nil {
				t.Error(err)
				return
			}
		}
	})
	time.Sleep(d)
	stop.Store(true)
	wg.Wait()
}

// Waits lie inside what their thread does, and end in the transaction that is
// not locked yet while the one before is.
func TestHandleWait(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.SlowWait, o.RingSize = -1, 32<<20
		o.see = append(o.see, SubjectWrite, SubjectFsync, SubjectJournal)
		p := open(t, o)
		fs := mount(t, 128, "", "mkfs.ext4", "-q", "-F")
		if err := errorsOf(p.WatchDevice(fs.dev), p.Trace(int32(os.Getpid()))); err != nil {
			t.Fatal(err)
		}
		if !attached(p, SubjectWrite) && !attached(p, SubjectFsync) {
			t.Skip("nothing to be inside of")
		}
		var all, waits []seen
		for range 10 { // by functions only what has to wait is seen
			contend(t, fs.dir, 300*time.Millisecond)
			all = append(all, drain(t, p)...)
			if waits = only(all, KindJournalWait); len(waits) > 0 {
				break
			}
		}
		if len(waits) == 0 {
			t.Fatal("no waits")
		}
		if err := unix.Syncfs(openDir(t, fs.dir)); err != nil {
			t.Fatal(err)
		}
		all = append(all, drain(t, p)...)
		waits = only(all, KindJournalWait)
		locked := map[uint32]int64{}
		for _, s := range only(all, KindJournal) {
			if s.Journal.Phase == PhaseLocking {
				locked[s.Journal.Transaction] = s.Time
			}
		}
		slow := 0
		for _, s := range waits {
			w := s.JournalWait
			check(t, "what", w.Kind, WaitHandle)
			check(t, "device", w.Device, fs.dev)
			if !isInside(all, s.TID, w.Start, s.Time) {
				t.Errorf("%d..%d of %d is inside of nothing", w.Start, s.Time, s.TID)
			}
			if end, ok := locked[w.Transaction]; ok && w.Start > end {
				t.Errorf("a handle of %d was asked for %d ns after it was locked", w.Transaction, w.Start-end)
			}
			if begun, ok := locked[w.Transaction-1]; ok && s.Time < begun {
				t.Errorf("a handle of %d before %d was locked", w.Transaction, w.Transaction-1)
			}
			if _, ok := locked[w.Transaction]; !ok && len(locked) > 0 {
				t.Errorf("transaction %d was never locked", w.Transaction)
			}
			if s.Time-w.Start >= 50e3 {
				slow++
			}
		}
		t.Logf("%d handles, %d of 50 µs or more, %d commits", len(waits), slow, len(locked))
	}, SubjectHandleWait)
}

// isInside says whether a time is within a write or an fsync of the thread.
func isInside(all []seen, tid int32, start, end int64) bool {
	return slices.ContainsFunc(all, func(s seen) bool {
		return s.TID == tid && end <= s.Time && (s.Kind == KindWrite && start >= s.Write.Start ||
			s.Kind == KindFsync && start >= s.Fsync.Start)
	})
}

// Two backends at once see the same handles.
func TestHandleWaitBackends(t *testing.T) {
	var both []*Probes
	for _, backends := range [][]string{{TpBTF}, {Tracepoint}} {
		p := open(t, Options{Backends: backends, SlowWait: -1, RingSize: 32 << 20,
			see: []string{SubjectHandleWait, SubjectFsync}})
		needSubject(t, p, SubjectHandleWait)
		needSubject(t, p, SubjectFsync)
		both = append(both, p)
	}
	fs := mount(t, 128, "", "mkfs.ext4", "-q", "-F")
	for _, p := range both {
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
	}
	contend(t, fs.dir, 300*time.Millisecond)
	a, b := drain(t, both[0]), drain(t, both[1])
	compared := 0
	for _, s := range only(a, KindJournalWait) {
		w := s.JournalWait
		if !isInside(b, s.TID, w.Start, s.Time) {
			continue // it sees more: writes that the other is not asked for
		}
		compared++
		if !slices.ContainsFunc(only(b, KindJournalWait), func(o seen) bool {
			return o.TID == s.TID && o.JournalWait.Transaction == w.Transaction &&
				o.JournalWait.Start < s.Time && w.Start < o.Time
		}) {
			t.Errorf("a wait of %d ns for %d is not seen by the other", s.Time-w.Start, w.Transaction)
		}
	}
	if compared == 0 {
		t.Error("nothing to compare")
	}
	t.Logf("%d compared", compared)
}
