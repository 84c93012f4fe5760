package bpf

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Nothing comes out after a watermark that is past it, and nothing is lost
// without a count, whatever the writers do.
func TestWatermark(t *testing.T) { eachBackend(t, testWatermark, SubjectWrite) }

func testWatermark(t *testing.T, o Options) {
	o.RingSize = 64 << 10
	p := open(t, o)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	const writers = 3
	var written atomic.Uint64
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for b := batch(byte(i), 100); !stop.Load(); written.Add(1) {
				if _, err := unix.Pwrite(int(f.Fd()), b, int64(i)<<20); err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Duration(i) * 100 * time.Microsecond)
			}
		})
	}
	var mark int64
	var read uint64
	var r Record
	pass := func() {
		m, err := p.Read(10*time.Millisecond, func(raw []byte) {
			if err := Decode(raw, &r); err != nil {
				t.Fatal(err)
			}
			if r.Time <= mark {
				t.Errorf("a record of %d after the watermark %d", r.Time, mark)
			}
			if r.Kind == KindWrite {
				read++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if m < mark {
			t.Fatalf("the watermark went from %d back to %d", mark, m)
		}
		mark = m
	}
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); {
		pass()
	}
	stop.Store(true)
	wg.Wait()
	for until := monotonic(); mark <= until; {
		pass()
	}
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if read == 0 || read+s.Lost[KindWrite] != written.Load() {
		t.Errorf("%d written, %d read, %d lost, %d missed", written.Load(), read, s.Lost[KindWrite], s.Missed)
	}
	t.Logf("%d written, %d lost", read, s.Lost[KindWrite])
}

// The threads of a process are forgotten with it, and those of others are not.
func TestUntraceForgets(t *testing.T) {
	p := open(t, Options{})
	threads := p.shared.Maps[probesMapThreads]
	entry := make([]byte, threads.ValueSize())
	for tid, tgid := range map[uint32]uint32{1001: 1000, 1002: 1000, 2001: 2000} {
		le.PutUint32(entry[threadTGID:], tgid)
		if err := threads.Put(tid, entry); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Untrace(1000); err != nil {
		t.Fatal(err)
	}
	for tid, stays := range map[uint32]bool{1001: false, 1002: false, 2001: true} {
		check(t, "remembered", threads.Lookup(tid, &entry) == nil, stays)
	}
}

// A thread is remembered from its first write to its end.
func TestThreadEndForgets(t *testing.T) { eachBackend(t, testThreadEndForgets, SubjectWrite) }

func testThreadEndForgets(t *testing.T, o Options) {
	p := open(t, o)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	threads := p.shared.Maps[probesMapThreads]
	entry := make([]byte, threads.ValueSize())
	var tid uint32
	write := func(id int32) {
		if int(id) == os.Getpid() {
			return // Go keeps a process's main thread for good, and takes another next time
		}
		tid = uint32(id)
		check(t, "remembered before", threads.Lookup(tid, &entry) == nil, false)
		if _, err := f.Write(batch(0, 100)); err != nil {
			t.Error(err)
		}
		check(t, "remembered", threads.Lookup(tid, &entry) == nil, true)
		check(t, "process", le.Uint32(entry[threadTGID:]), uint32(os.Getpid()))
	}
	for tid == 0 {
		onThread(write)
	}
	for end := time.Now().Add(5 * time.Second); threads.Lookup(tid, &entry) == nil; {
		if time.Now().After(end) {
			t.Fatal("remembered for good")
		}
		time.Sleep(time.Millisecond)
	}
}

// Without rights it is "not here", which a caller can tell from "broken".
func TestOpenWithoutRights(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("runs without root only")
	}
	p, err := Open(Options{})
	if err == nil {
		t.Skip("this user may load programs: ", p.Close())
	}
	if !errors.Is(err, ErrNotHere) {
		t.Error(err)
	}
}

func TestLostIsCounted(t *testing.T) {
	p := open(t, Options{RingSize: 1})
	needSubject(t, p, SubjectWrite)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	const n = 100
	for range n {
		if _, err := f.Write(batch(0, 100)); err != nil {
			t.Fatal(err)
		}
	}
	got := uint64(len(only(drain(t, p), KindWrite)))
	s, err := p.Stats()
	if err != nil {
		t.Fatal(err)
	}
	if lost := s.Lost[KindWrite]; lost == 0 || lost+got != n {
		t.Errorf("%d lost and %d read of %d", lost, got, n)
	}
}

func TestCloseEndsRead(t *testing.T) {
	p := open(t, Options{})
	done := make(chan error)
	go func() {
		_, err := p.Read(time.Minute, func([]byte) {})
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := errorsOf(p.Close(), p.Close()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("Read goes on after Close")
	}
}
