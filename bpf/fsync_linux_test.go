package bpf

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forced is a call that forces a file, and what its record says. It is made
// without telling Go, whose own work would be a part of its time.
type forced struct {
	name string
	data bool
	call func(f *os.File, mapped []byte) unix.Errno
}

var syncs = []forced{
	{"fsync", false, func(f *os.File, _ []byte) unix.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_FSYNC, f.Fd(), 0, 0)
		return errno
	}},
	{"fdatasync", true, func(f *os.File, _ []byte) unix.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_FDATASYNC, f.Fd(), 0, 0)
		return errno
	}},
	{"msync", true, func(_ *os.File, mapped []byte) unix.Errno {
		_, _, errno := unix.RawSyscall(unix.SYS_MSYNC, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), unix.MS_SYNC)
		return errno
	}},
}

func TestFsync(t *testing.T) {
	for name, fs := range map[string]func(t testing.TB) mounted{"ext4": plainExt4, "xfs": plainXFS} {
		t.Run(name, func(t *testing.T) {
			eachBackend(t, func(t *testing.T, o Options) {
				p := open(t, o)
				if backendOf(p, SubjectFsync) == TpBTF && name != "ext4" {
					t.Skip("ext4's own events")
				}
				testFsync(t, p, fs(t), name)
			}, SubjectFsync)
		})
	}
}

func plainExt4(t testing.TB) mounted { return mount(t, 32, "", "mkfs.ext4", "-q", "-F") }

// guestXFS is where the kernel guests (deploy/lab/vm) have one: they have no mkfs.
const guestXFS = "/mnt/xfs"

func plainXFS(t testing.TB) mounted {
	var st unix.Statfs_t
	if unix.Statfs(guestXFS, &st) == nil && st.Type == unix.XFS_SUPER_MAGIC {
		return atMount(t, guestXFS)
	}
	return mount(t, 320, "", "mkfs.xfs", "-q", "-f")
}

func testFsync(t *testing.T, p *Probes, fs mounted, kind string) {
	f := createSegment(t, fs.dir, "orders-0", "00000000000000000000.timeindex")
	var st unix.Stat_t
	if err := errorsOf(f.Truncate(4096), unix.Fstat(int(f.Fd()), &st), p.Trace(int32(os.Getpid()))); err != nil {
		t.Fatal(err)
	}
	mapped, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Munmap(mapped); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range syncs {
		// A processor that is taken away between the two clocks of this test
		// makes one call look long, not several.
		most := 0.0
		for range 5 {
			most = max(most, checkFsync(t, p, f, mapped, st, c, kind))
			if most > 0.8 {
				break
			}
		}
		if most < 0.5 {
			t.Errorf("%s: the record has %.0f %% of it", c.name, most*100)
		}
	}
}

// checkFsync makes one call and says which part of its time its record has.
func checkFsync(t *testing.T, p *Probes, f *os.File, mapped []byte, st unix.Stat_t, c forced, kind string) float64 {
	t.Helper()
	var tid int32
	var before, after int64
	onThread(func(id int32) {
		tid = id
		if _, err := f.WriteAt([]byte(c.name), 0); err != nil {
			t.Error(err)
		}
		mapped[100]++
		before = monotonic()
		errno := c.call(f, mapped)
		after = monotonic()
		check(t, c.name, errno, 0)
	})
	got := only(drain(t, p), KindFsync)
	if len(got) != 1 {
		t.Fatalf("%s: %d records", c.name, len(got))
	}
	s := got[0].Fsync
	checkRest(t, got[0])
	if !(before <= s.Start && s.Start < got[0].Time && got[0].Time <= after) {
		t.Errorf("%s: %d..%d is not within %d..%d", c.name, s.Start, got[0].Time, before, after)
	}
	check(t, c.name+" tid", got[0].TID, tid)
	check(t, c.name+" tgid", got[0].TGID, int32(os.Getpid()))
	check(t, c.name+" comm", string(s.Comm), comm(t))
	check(t, c.name+" data", s.Data, c.data)
	check(t, c.name+" result", s.Result, 0)
	if c.name == "msync" && backendOf(p, SubjectFsync) == Tracepoint && (kind != "ext4" || !namesMsync(p)) {
		check(t, "unnamed msync", string(s.Name), "")
	} else {
		check(t, c.name+" device", s.Device, Device(st.Dev))
		check(t, c.name+" inode", s.Inode, st.Ino)
		check(t, c.name+" name", string(s.Name), "00000000000000000000.timeindex")
		check(t, c.name+" dir", string(s.Dir), "orders-0")
	}
	return float64(got[0].Time-s.Start) / float64(after-before)
}

// checkRest: behind a file's name there is nothing, least of all what lies behind
// it in the kernel.
func checkRest(t *testing.T, s seen) {
	t.Helper()
	name := s.raw[fsyncSize-fileLen : fsyncSize]
	check(t, "all of the name", string(bytes.TrimRight(name, "\x00")), string(s.Fsync.Name))
}

// leaveNames fills the kernel's memory for short names with what is to be seen
// nowhere.
func leaveNames(t *testing.T, dir string) {
	t.Helper()
	for i := range 500 {
		name := filepath.Join(dir, fmt.Sprintf("%031d", i))
		if err := errorsOf(os.WriteFile(name, nil, 0o600), os.Remove(name)); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(50 * time.Millisecond) // they are freed by RCU
}

// namesMsync says whether ext4 names what msync(2) forces, where system calls are
// what is seen.
func namesMsync(p *Probes) bool {
	return slices.ContainsFunc(p.Status(), func(s Subject) bool { return s.Name == SubjectFsync && s.Err == nil })
}

func TestFsyncNames(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		p := open(t, o)
		dir := plainExt4(t).dir
		if err := p.Trace(int32(os.Getpid())); err != nil {
			t.Fatal(err)
		}
		leaveNames(t, dir)
		sub := strings.Repeat("d", 255)
		for _, name := range []string{"a", strings.Repeat("n", 39), strings.Repeat("m", 255), "b"} {
			f := createSegment(t, dir, sub, name)
			if err := unix.Fsync(int(f.Fd())); err != nil {
				t.Fatal(err)
			}
			got := only(drain(t, p), KindFsync)
			if len(got) != 1 {
				t.Fatalf("%s: %d records", name, len(got))
			}
			checkRest(t, got[0])
			name, dir := name[:min(len(name), 39)], sub
			if readsTypedOnly(t, p) {
				if len(name) > 31 {
					name = ""
				}
				dir = ""
			}
			check(t, "name", string(got[0].Fsync.Name), name)
			check(t, "dir", string(got[0].Fsync.Dir), dir)
		}
	}, SubjectFsync)
}

// What is not one: an asynchronous msync, a write to a file that is always
// synced, the fsync of a process that is not traced.
func TestNoFsync(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.see = append(o.see, SubjectWrite)
		p := open(t, o)
		dir := plainExt4(t).dir
		f := createSegment(t, dir, "orders-0", segment)
		if err := unix.Fsync(int(f.Fd())); err != nil {
			t.Fatal(err)
		}
		check(t, "untraced", len(drain(t, p)), 0)
		if err := errorsOf(f.Truncate(4096), p.Trace(int32(os.Getpid()))); err != nil {
			t.Fatal(err)
		}
		mapped, err := unix.Mmap(int(f.Fd()), 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			t.Fatal(err)
		}
		mapped[0]++
		if err := errorsOf(unix.Msync(mapped, unix.MS_ASYNC), unix.Munmap(mapped)); err != nil {
			t.Fatal(err)
		}
		check(t, "asynchronous msync", len(only(drain(t, p), KindFsync)), 0)
		if !attached(p, SubjectWrite) {
			return
		}
		synced, err := os.OpenFile(filepath.Join(dir, "orders-0", segment), os.O_RDWR|unix.O_SYNC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer synced.Close()
		if _, err := synced.Write(batch(0, 100)); err != nil {
			t.Fatal(err)
		}
		all := drain(t, p)
		check(t, "writes", len(only(all, KindWrite)), 1)
		check(t, "fsyncs inside", len(only(all, KindFsync)), 0)
	}, SubjectFsync)
}
