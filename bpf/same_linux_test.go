package bpf

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Backends tell the same of the same writes: each pair of those that this kernel
// has looks at once at 12,000 writes of four threads to an ext4, while others
// make its journal commit.
func TestBackendsAgree(t *testing.T) {
	needRoot(t)
	var here []string
	for _, backend := range []string{Fentry, TpBTF, Tracepoint, Kprobe} {
		if p, err := Open(Options{Backends: []string{backend}}); err == nil {
			if attached(p, SubjectWrite) && attached(p, SubjectDirtyInode) && attached(p, SubjectJournal) {
				here = append(here, backend)
			}
			p.Close()
		}
	}
	if len(here) < 2 {
		t.Skipf("only %q", here)
	}
	for _, other := range here[1:] {
		t.Run(here[0]+"-"+other, func(t *testing.T) { testBackendsAgree(t, here[0], other) })
	}
}

func testBackendsAgree(t *testing.T, one, other string) {
	const writes = 3000
	writers := 4
	if other == Kprobe {
		writers = 1 // a kretprobe has room for as many at once as there are CPUs
	}
	dir := ext4(t)
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		t.Fatal(err)
	}
	// Both are attached before either is to see anything.
	var probes [2]*Probes
	for i, backend := range []string{one, other} {
		probes[i] = open(t, Options{Backends: []string{backend}, RingSize: 32 << 20})
	}
	for _, p := range probes {
		if err := errorsOf(p.WatchDevice(Device(st.Dev)), p.Trace(int32(os.Getpid()))); err != nil {
			t.Fatal(err)
		}
	}
	writeMuch(t, dir, writers, writes)
	var told [2][]seen
	for i, p := range probes {
		told[i] = drain(t, p)
		s, err := p.Stats()
		if err != nil {
			t.Fatal(err)
		}
		check(t, "lost", s.Lost[KindWrite]+s.Lost[KindDirtyInode]+s.Lost[KindJournal], 0)
	}
	check(t, "writes", len(only(told[0], KindWrite)), writers*writes)
	writesOver, allWrites := sameWrites(t, told)
	dirtyOver, allDirty := sameDirtyInodes(t, told)
	if over, all := writesOver+dirtyOver, allWrites+allDirty; over*100 > all {
		t.Errorf("%d of %d spans are too far apart", over, all)
	}
	sameCommits(t, told)
}

// writeMuch has some threads write n batches each, while another forces commits.
func writeMuch(t *testing.T, dir string, writers, n int) {
	var wg sync.WaitGroup
	done := make(chan struct{})
	sync1 := createSegment(t, dir, "orders-99", "sync")
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
				_, err := sync1.Write([]byte{1})
				if err := errors.Join(err, sync1.Sync()); err != nil {
					t.Error(err)
				}
			}
		}
	})
	var writing sync.WaitGroup
	for i := range writers {
		f := createSegment(t, dir, "orders-"+string('0'+rune(i)), segment)
		writing.Go(func() {
			runtime.LockOSThread() // never unlocked: the thread ends
			for k := range n {
				b := batch(byte(k), 100+k%1000)
				if _, err := f.Write(b); err != nil {
					t.Error(err)
					return
				}
				if k%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	wg.Wait()
}

// byThread are a kind's records by thread, in the order of their starts.
func byThread(all []seen, k Kind) map[int32][]seen {
	m := map[int32][]seen{}
	for _, s := range only(all, k) {
		m[s.TID] = append(m[s.TID], s)
	}
	for _, l := range m {
		slices.SortFunc(l, func(a, b seen) int { return int(a.begin() - b.begin()) })
	}
	return m
}

func (s *seen) begin() int64 {
	if s.Kind == KindDirtyInode {
		return s.DirtyInode.Start
	}
	return s.Write.Start
}

// pairs calls f for the records of a kind that must be of the same event: per
// thread in order, of both as many. Starts and ends may be 50 µs apart in the
// median; over counts those that are so by more than 5 % of the duration and by
// more than 200 µs.
func pairs(t *testing.T, told [2][]seen, k Kind, f func(a, b *seen)) (over, all int) {
	t.Helper()
	first, second := byThread(told[0], k), byThread(told[1], k)
	check(t, "threads of "+k.String(), len(first), len(second))
	var apart []int64
	for tid, a := range first {
		b := second[tid]
		if len(a) != len(b) {
			t.Errorf("thread %d: %d and %d of %s", tid, len(a), len(b), k)
			continue
		}
		for i := range a {
			d := max(distance(a[i].begin(), b[i].begin()), distance(a[i].Time, b[i].Time))
			apart = append(apart, d)
			if d > max(int64(200*time.Microsecond), (a[i].Time-a[i].begin())/20) {
				over++
			}
			f(&a[i], &b[i])
		}
	}
	if len(apart) == 0 {
		t.Fatalf("no %s", k)
	}
	slices.Sort(apart)
	median, p99 := time.Duration(apart[len(apart)/2]), time.Duration(apart[len(apart)*99/100])
	t.Logf("%s: %d; apart %v in the median, %v at p99, %v at most; %d beyond 5 %% and 200 µs",
		k, len(apart), median, p99, time.Duration(apart[len(apart)-1]), over)
	if median >= 50*time.Microsecond {
		t.Errorf("%s: too far apart", k)
	}
	return over, len(apart)
}

func distance(a, b int64) int64 { return max(a-b, b-a) }

func sameWrites(t *testing.T, told [2][]seen) (over, all int) {
	return pairs(t, told, KindWrite, func(a, b *seen) {
		v, w := &a.Write, &b.Write
		if v.Device != w.Device || v.Inode != w.Inode || v.Offset != w.Offset || v.Result != w.Result || v.Unread != w.Unread ||
			!bytes.Equal(v.Head, w.Head) || !bytes.Equal(v.Name, w.Name) || !bytes.Equal(v.Dir, w.Dir) || !bytes.Equal(v.Comm, w.Comm) {
			t.Fatalf("%+v\n%+v", v, w)
		}
	})
}

func sameDirtyInodes(t *testing.T, told [2][]seen) (over, all int) {
	return pairs(t, told, KindDirtyInode, func(a, b *seen) {
		check(t, "inode", a.DirtyInode.Inode, b.DirtyInode.Inode)
		check(t, "device", a.DirtyInode.Device, b.DirtyInode.Device)
	})
}

// sameCommits: of both the same transactions, begun and ended. Their times are
// apart by design.
func sameCommits(t *testing.T, told [2][]seen) {
	t.Helper()
	var all [2][]Journal
	for i := range told {
		for _, s := range only(told[i], KindJournal) {
			if s.Journal.Phase == PhaseStart || s.Journal.Phase == PhaseEnd {
				all[i] = append(all[i], s.Journal)
			}
		}
	}
	if len(all[0]) < 4 || !slices.Equal(all[0], all[1]) {
		t.Errorf("commits:\n%v\n%v", all[0], all[1])
	}
	t.Logf("%d commits", len(all[0])/2)
}
