package bpf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

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

func TestWriteFields(t *testing.T) { eachRead(t, testWriteFields, SubjectWrite) }

func testWriteFields(t *testing.T, o Options) {
	p := open(t, o)
	checkDirect(t, p, o.old)
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
		if !readsTypedOnly(t, p) || !strings.HasPrefix(c.name, "pwrite") {
			check(t, c.name+" offset", w.Offset, c.at(pos))
		}
		check(t, c.name+" result", w.Result, int64(len(b)))
		if strings.HasPrefix(c.name, "write") {
			pos += len(b)
		}
	}
}

// readsTypedOnly: where programs may not read the kernel's memory (lockdown) but
// where BTF leads. Then the position of a write is its descriptor's, and a name
// known if it lies in its dentry.
func readsTypedOnly(t *testing.T, p *Probes) bool {
	var direct, reads bool
	if err := errorsOf(p.spec.Variables[probesVarDirect].Get(&direct), p.spec.Variables[probesVarReads].Get(&reads)); err != nil {
		t.Fatal(err)
	}
	return !direct && !reads
}

// checkDirect wants the cheap way wherever the kernel offers it: what the
// verifier does not like would else go by the old way in silence.
func checkDirect(t *testing.T, p *Probes, old bool) {
	t.Helper()
	var direct bool
	if err := p.spec.Variables[probesVarDirect].Get(&direct); err != nil {
		t.Fatal(err)
	}
	var name unix.Utsname
	var major, minor int
	if err := unix.Uname(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		t.Fatal(err)
	}
	if modern := major > 6 || major == 6 && minor >= 12; modern || old {
		check(t, "direct", direct, !old)
	}
}

func TestWriteHead(t *testing.T) { eachBackend(t, testWriteHead, SubjectWrite) }

func testWriteHead(t *testing.T, o Options) {
	p := open(t, o)
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
func TestWriteFault(t *testing.T) { eachBackend(t, testWriteFault, SubjectWrite) }

func testWriteFault(t *testing.T, o Options) {
	p := open(t, o)
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

// A rename is seen at once: the directory's name is the kernel's own, whatever
// its length.
func TestWriteFollowsRename(t *testing.T) { eachRead(t, testWriteFollowsRename, SubjectWrite) }

func testWriteFollowsRename(t *testing.T, o Options) {
	p := open(t, o)
	dir := t.TempDir()
	now := "orders-0-future"
	f := createSegment(t, dir, now, segment)
	if err := p.Trace(int32(os.Getpid())); err != nil {
		t.Fatal(err)
	}
	for _, length := range []int{255, 1, 64, 15, 31, 16, 39, 63, 32, 47, 48, 40} {
		name := strings.Repeat("t", length)
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

func TestNoSegmentNoRecord(t *testing.T) { eachBackend(t, testNoSegmentNoRecord, SubjectWrite) }

func testNoSegmentNoRecord(t *testing.T, o Options) {
	p := open(t, o)
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
	eachBackend(t, testOtherProcessesAreNotSeen, SubjectWrite)
}

func testOtherProcessesAreNotSeen(t *testing.T, o Options) {
	p := open(t, o)
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
