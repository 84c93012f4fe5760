package bpf

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// needRoot skips where no program can be loaded.
func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
}

func open(t testing.TB, o Options) *Probes {
	t.Helper()
	needRoot(t)
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), nil))
	p, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func needSubject(t testing.TB, p *Probes, name string) {
	t.Helper()
	for _, s := range p.Status() {
		if s.Name == name && !s.Attached {
			t.Skipf("%s: %v", name, s.Err)
		}
	}
}

// ext4 mounts a fresh ext4 with a journal on a loop device.
func ext4(t testing.TB) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	image, mnt := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(os.Truncate(image, 32<<20), os.Mkdir(mnt, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range [][]string{
		{"mkfs.ext4", "-q", "-F", "-O", "has_journal", image},
		{"mount", "-o", "loop", image, mnt},
	} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no loop-mounted ext4 here: %s: %v: %s", cmd[0], err, out)
		}
	}
	t.Cleanup(func() {
		// umount detaches the loop device that mount made; a straggler of the
		// kernel's own may keep it busy for a moment.
		var out []byte
		err := error(nil)
		for range 50 {
			if out, err = exec.Command("umount", mnt).CombinedOutput(); err == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("umount: %v: %s", err, out)
	})
	return mnt
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// seen is a decoded record with bytes of its own.
type seen struct {
	Record
	raw []byte
}

// drain reads until the watermark has passed the moment of the call.
func drain(t testing.TB, p *Probes) []seen {
	t.Helper()
	var all []seen
	for until := monotonic(); ; {
		mark, err := p.Read(5*time.Millisecond, func(raw []byte) {
			s := seen{raw: bytes.Clone(raw)}
			if err := Decode(s.raw, &s.Record); err != nil {
				t.Fatalf("%v: % x", err, raw)
			}
			all = append(all, s)
		})
		if err != nil {
			t.Fatal(err)
		}
		if mark > until {
			return all
		}
	}
}

func only(all []seen, k Kind) []seen {
	var out []seen
	for _, s := range all {
		if s.Kind == k {
			out = append(out, s)
		}
	}
	return out
}

// onThread runs f on a thread of its own, so that it has one tid.
func onThread(f func(tid int32)) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with f
		f(int32(unix.Gettid()))
	})
	wg.Wait()
}

const segment = "00000000000000000000.log"

func createSegment(t testing.TB, dir, partition, name string) *os.File {
	t.Helper()
	sub := filepath.Join(dir, partition)
	if err := os.MkdirAll(sub, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(filepath.Join(sub, name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// batch is a buffer that begins like a record batch.
func batch(seed byte, size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = seed + byte(i)
	}
	if size > 16 {
		b[16] = 2
	}
	return b
}

// call is one way to write, and where it writes.
type call struct {
	name  string
	at    func(pos int) int64 // the offset expected, given the file's position
	write func(fd int, b []byte) (int, error)
}

var calls = []call{
	{"write", func(pos int) int64 { return int64(pos) }, func(fd int, b []byte) (int, error) {
		return unix.Write(fd, b)
	}},
	{"pwrite64", func(int) int64 { return 70_000 }, func(fd int, b []byte) (int, error) {
		return unix.Pwrite(fd, b, 70_000)
	}},
	{"writev", func(pos int) int64 { return int64(pos) }, func(fd int, b []byte) (int, error) {
		return unix.Writev(fd, [][]byte{b[:61], b[61:]})
	}},
	{"pwritev", func(int) int64 { return 90_000 }, func(fd int, b []byte) (int, error) {
		return unix.Pwritev(fd, [][]byte{b[:61], b[61:]}, 90_000)
	}},
}

func TestWriteFields(t *testing.T) {
	for name, old := range map[string]bool{"direct": false, "old": true} {
		t.Run(name, func(t *testing.T) { testWriteFields(t, old) })
	}
}

func testWriteFields(t *testing.T, old bool) {
	p := open(t, Options{old: old})
	needSubject(t, p, SubjectWrite)
	f := createSegment(t, ext4(t), "orders-0", segment)
	var st unix.Stat_t
	if err := errorsOf(unix.Fstat(int(f.Fd()), &st), p.Trace(int32(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	pos := 0
	for i, c := range calls {
		b := batch(byte(i), 200+i)
		var tid int32
		var before, after int64
		onThread(func(id int32) {
			tid, before = id, monotonic()
			if n, err := c.write(int(f.Fd()), b); err != nil || n != len(b) {
				t.Errorf("%s: %d, %v", c.name, n, err)
			}
			after = monotonic()
		})
		got := only(drain(t, p), KindWrite)
		if len(got) != 1 {
			t.Fatalf("%s: %d records", c.name, len(got))
		}
		w := got[0].Write
		if !(before <= w.Start && w.Start < got[0].Time && got[0].Time <= after) {
			t.Errorf("%s: %d..%d is not within %d..%d", c.name, w.Start, got[0].Time, before, after)
		}
		check(t, c.name+" head", string(w.Head), string(b[:61]))
		check(t, c.name+" name", string(w.Name), segment)
		check(t, c.name+" dir", string(w.Dir), "orders-0")
		check(t, c.name+" comm", string(w.Comm), comm(t))
		check(t, c.name+" tgid", got[0].TGID, int32(os.Getpid()))
		check(t, c.name+" tid", got[0].TID, tid)
		check(t, c.name+" device", w.Device, Device(st.Dev))
		check(t, c.name+" inode", w.Inode, st.Ino)
		check(t, c.name+" offset", w.Offset, c.at(pos))
		check(t, c.name+" result", w.Result, int64(len(b)))
		if strings.HasPrefix(c.name, "write") {
			pos += len(b)
		}
	}
}

func check[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func comm(t testing.TB) string {
	b, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func TestWriteHead(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	old := batch(0, 100)
	old[16] = 1
	for _, c := range []struct {
		name  string
		write func() (int, error)
		head  bool
		want  int64
	}{
		{"exactly a header", func() (int, error) { return f.Write(batch(0, 61)) }, true, 61},
		{"a byte short", func() (int, error) { return f.Write(batch(0, 60)) }, false, 60},
		{"magic 1", func() (int, error) { return f.Write(old) }, false, 100},
		{"nothing", func() (int, error) { return unix.Write(int(f.Fd()), nil) }, false, 0},
		{"first vector short", func() (int, error) {
			return unix.Writev(int(f.Fd()), [][]byte{batch(0, 60), batch(0, 61)})
		}, false, 121},
		{"no vector", func() (int, error) { return unix.Writev(int(f.Fd()), nil) }, false, 0},
	} {
		if _, err := c.write(); err != nil {
			t.Fatal(c.name, err)
		}
		got := only(drain(t, p), KindWrite)
		if len(got) != 1 {
			t.Fatalf("%s: %d records", c.name, len(got))
		}
		check(t, c.name, got[0].Write.Head != nil, c.head)
		check(t, c.name+" unread", got[0].Write.Unread, false)
		check(t, c.name+" result", got[0].Write.Result, c.want)
	}
}

// A write that fails has its errno, and a buffer that cannot be read says so.
func TestWriteFault(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	const nowhere = 8 // an address in the first page, which is never mapped
	_, _, errno := unix.Syscall(unix.SYS_WRITE, f.Fd(), nowhere, 100)
	check(t, "errno", errno, unix.EFAULT)
	got := only(drain(t, p), KindWrite)
	if len(got) != 1 {
		t.Fatalf("%d records", len(got))
	}
	check(t, "result", got[0].Write.Result, -int64(unix.EFAULT))
	check(t, "unread", got[0].Write.Unread, true)
	check(t, "head", got[0].Write.Head == nil, true)
}

// A rename is seen at once: the directory's name is the kernel's own.
func TestWriteFollowsRename(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	dir := t.TempDir()
	f := createSegment(t, dir, "orders-0-future", segment)
	long := strings.Repeat("t", 249) + "-12345" // the longest topic and more
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	now := "orders-0-future"
	for _, name := range []string{"orders-0", long, "orders-0-stray"} {
		if err := os.Rename(filepath.Join(dir, now), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		now = name
		if _, err := f.Write(batch(0, 100)); err != nil {
			t.Fatal(err)
		}
		got := only(drain(t, p), KindWrite)
		if len(got) != 1 || string(got[0].Write.Dir) != name {
			t.Fatalf("%q: %+v", name, got)
		}
	}
}

func TestNoSegmentNoRecord(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	dir := t.TempDir()
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"00000000000000000000.index", "00000000000000000000.timeindex",
		"00000000000000000000.log.deleted", "0000000000000000000.log", "server.log",
		"00000000000000000000.loh", "kafkaServer-gc-000000000",
	} {
		f := createSegment(t, dir, "orders-0", name)
		if _, err := f.Write(batch(0, 100)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(make([]byte, 8)); err != nil { // no wake-up either
			t.Fatal(err)
		}
	}
	if got := drain(t, p); len(got) != 0 {
		t.Fatalf("%d records, first %+v", len(got), got[0].Record)
	}
}

func TestOtherProcessesAreNotSeen(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWrite)
	f := createSegment(t, t.TempDir(), "orders-0", segment)
	write := func() {
		c := exec.Command("dd", "if=/dev/zero", "of="+f.Name(), "bs=100", "count=3", "conv=notrunc", "status=none")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	pid := int32(os.Getpid())
	if err := p.Trace(pid); err != nil {
		t.Fatal(err)
	}
	write()
	check(t, "another process", len(only(drain(t, p), KindWrite)), 0)
	if _, err := f.Write(batch(0, 100)); err != nil {
		t.Fatal(err)
	}
	check(t, "this process", len(only(drain(t, p), KindWrite)), 1)
	if err := errorsOf(p.Untrace(pid), p.Untrace(pid)); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(batch(0, 100)); err != nil {
		t.Fatal(err)
	}
	check(t, "untraced", len(drain(t, p)), 0)
}

func TestWake(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectWake)
	event, err := unix.Eventfd(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(event)
	var pipe, pair [2]int
	if pair, err = unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0); err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(unix.Pipe(pipe[:]), p.Trace(int32(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	for _, fd := range append(pipe[:], pair[:]...) {
		defer unix.Close(fd)
	}
	one := binary.NativeEndian.AppendUint64(nil, 1)
	for _, c := range []struct {
		name string
		fd   int
		b    []byte
		want int
	}{
		{"eventfd", event, one, 1},
		{"pipe, one byte", pipe[1], one[:1], 1},
		{"pipe, eight bytes", pipe[1], one, 0},
		{"socket", pair[0], one, 0},
	} {
		drain(t, p) // the runtime wakes itself by an eventfd, too
		var tid int32
		onThread(func(id int32) {
			tid = id
			if _, err := unix.Write(c.fd, c.b); err != nil {
				t.Error(c.name, err)
			}
		})
		n := 0
		for _, s := range only(drain(t, p), KindWake) {
			if s.TID == tid {
				n++
			}
		}
		check(t, c.name, n, c.want)
	}
}

func TestDirtyInodeAndJournal(t *testing.T) {
	p := open(t, Options{})
	needSubject(t, p, SubjectDirtyInode)
	needSubject(t, p, SubjectJournal)
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
	checkCommit(t, only(all, KindJournal), Device(st.Dev), begun)
}

// checkCommit wants the five phases of one transaction, in order.
func checkCommit(t *testing.T, phases []seen, dev uint32, begun int64) {
	t.Helper()
	if len(phases) < int(PhaseEnd) {
		t.Fatalf("%d phases", len(phases))
	}
	last := begun
	for i, s := range phases[:PhaseEnd] {
		check(t, "phase", s.Journal.Phase, Phase(i+1))
		check(t, "device", s.Journal.Device, dev)
		check(t, "transaction", s.Journal.Transaction, phases[0].Journal.Transaction)
		check(t, "thread", s.TID, phases[0].TID)
		if s.Time < last {
			t.Errorf("phase %d went back in time", i+1)
		}
		last = s.Time
	}
	if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", phases[0].TID)); err != nil || !strings.HasPrefix(string(name), "jbd2/") {
		t.Errorf("thread %d is %q, %v", phases[0].TID, name, err)
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
