package bpf

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestDirtyInodeAndJournal(t *testing.T) {
	eachBackend(t, testDirtyInodeAndJournal, SubjectWrite, SubjectDirtyInode, SubjectJournal)
}

func testDirtyInodeAndJournal(t *testing.T, o Options) {
	p := open(t, o)
	f := createSegment(t, ext4(t), "orders-0", segment)
	var st unix.Stat_t
	if err := errorsOf(unix.Fstat(int(f.Fd()), &st), p.Trace(int32(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fsync(int(f.Fd())); err != nil { // not watched yet
		t.Fatal(err)
	}
	check(t, "commits of an unwatched device", len(only(drain(t, p), KindJournal)), 0)
	if err := p.WatchDevice(Device(st.Dev)); err != nil {
		t.Fatal(err)
	}
	begun := monotonic()
	if _, err := f.Write(batch(0, 100)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fsync(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	all := drain(t, p)
	writes, dirty := only(all, KindWrite), only(all, KindDirtyInode)
	if len(writes) != 1 || len(dirty) == 0 {
		t.Fatalf("%d writes, %d dirty_inodes", len(writes), len(dirty))
	}
	for _, d := range dirty {
		if d.DirtyInode.Start < writes[0].Write.Start || d.Time > writes[0].Time || d.Time < d.DirtyInode.Start {
			t.Errorf("%d..%d is not inside the write", d.DirtyInode.Start, d.Time)
		}
		check(t, "tid", d.TID, writes[0].TID)
		check(t, "inode", d.DirtyInode.Inode, st.Ino)
		check(t, "device", d.DirtyInode.Device, Device(st.Dev))
		check(t, "comm", string(d.DirtyInode.Comm), comm(t))
	}
	want := []Phase{PhaseStart, PhaseLocking, PhaseFlushing, PhaseLogging, PhaseEnd}
	if backendOf(p, SubjectJournal) == Kprobe { // the function alone
		want = []Phase{PhaseStart, PhaseEnd}
	}
	checkCommit(t, only(all, KindJournal), want, Device(st.Dev), begun)
}

// checkCommit wants these phases of one transaction, in order.
func checkCommit(t *testing.T, phases []seen, want []Phase, dev uint32, begun int64) {
	t.Helper()
	if len(phases) < len(want) {
		t.Fatalf("%d phases", len(phases))
	}
	last := begun
	for i, s := range phases[:len(want)] {
		check(t, "phase", s.Journal.Phase, want[i])
		check(t, "device", s.Journal.Device, dev)
		check(t, "transaction", s.Journal.Transaction, phases[0].Journal.Transaction)
		check(t, "thread", s.TID, phases[0].TID)
		if s.Time < last {
			t.Errorf("phase %d went back in time", want[i])
		}
		last = s.Time
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", phases[0].TID)); err != nil || !strings.HasPrefix(string(name), "jbd2/") {
		t.Errorf("thread %d is %q, %v", phases[0].TID, name, err)
	}
}
