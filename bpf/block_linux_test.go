package bpf

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ioStat is what the kernel counts of a disk itself
// (Documentation/block/stat.rst): requests, and sectors of 512 bytes.
type ioStat struct{ reads, readSectors, writes, writeSectors, flushes int }

func readStat(t *testing.T, disk string) ioStat {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(disk, "stat"))
	if err != nil {
		t.Fatal(err)
	}
	var n [17]int
	for i, f := range strings.Fields(string(raw)) {
		n[i], _ = strconv.Atoi(f)
	}
	return ioStat{n[0], n[2], n[4], n[6], n[15]}
}

func (s ioStat) minus(o ioStat) ioStat {
	return ioStat{s.reads - o.reads, s.readSectors - o.readSectors, s.writes - o.writes, s.writeSectors - o.writeSectors, s.flushes - o.flushes}
}

// add counts a record.
func (s *ioStat) add(b BlockIO) {
	switch b.Op {
	case 0:
		s.reads, s.readSectors = s.reads+1, s.readSectors+int(b.Bytes)/512
	case 1:
		s.writes, s.writeSectors = s.writes+1, s.writeSectors+int(b.Bytes)/512
	case 2:
		s.flushes++
	}
}

// diskOf is the directory of sysfs and the number of the disk below a file
// system; here it is never a partition.
func diskOf(t *testing.T, path string) (dir string, dev uint32) {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	dir = fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(st.Dev), unix.Minor(st.Dev))
	return dir, Device(st.Dev)
}

// aligned is memory for direct I/O.
func aligned(n int) []byte {
	b := make([]byte, n+4096)
	skip := 4096 - int(uintptr(unsafe.Pointer(&b[0]))%4096)
	return b[skip : skip+n : skip+n]
}

func TestBlockIO(t *testing.T) {
	eachBackend(t, func(t *testing.T, o Options) {
		o.SlowIO = -1
		p := open(t, o)
		mnt := ext4(t)
		dir, dev := diskOf(t, mnt)
		f, err := os.OpenFile(filepath.Join(mnt, "file"), os.O_CREATE|os.O_RDWR|unix.O_DIRECT, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		b := aligned(64 << 10)
		io := func() {
			for i := range 16 {
				if _, err := f.WriteAt(b, int64(i)<<16); err != nil {
					t.Fatal(err)
				}
			}
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
			for i := range 16 {
				if _, err := f.ReadAt(b[:4096], int64(i)<<16); err != nil {
					t.Fatal(err)
				}
			}
		}
		io()
		unix.Sync()
		check(t, "requests to a disk that is not watched", len(only(drain(t, p), KindBlockIO)), 0)
		if err := p.WatchDisk(dev); err != nil {
			t.Fatal(err)
		}
		before, begun := readStat(t, dir), monotonic()
		var tid int32
		onThread(func(id int32) { tid = id; io() })
		unix.Sync()
		want, ended := readStat(t, dir).minus(before), monotonic()
		var got ioStat
		mine := 0
		for _, s := range only(drain(t, p), KindBlockIO) {
			got.add(s.BlockIO)
			check(t, "disk", s.BlockIO.Device, dev)
			check(t, "error", s.BlockIO.Error, 0)
			if s.BlockIO.Start < begun || s.Time < s.BlockIO.Start || s.Time > ended {
				t.Errorf("%d..%d is not within %d..%d", s.BlockIO.Start, s.Time, begun, ended)
			}
			if s.TID == tid {
				mine++
				check(t, "comm", string(s.BlockIO.Comm), comm(t))
				check(t, "tgid", s.TGID, int32(os.Getpid()))
			}
		}
		t.Logf("%+v, issued by the thread itself: %d", got, mine)
		// A write of nothing that asks for a flush is one to the kernel; to the
		// disk goes the flush.
		if empty := want.writes - got.writes; empty < 0 || empty > want.flushes {
			t.Errorf("%d writes, the kernel counts %d", got.writes, want.writes)
		}
		got.writes = want.writes
		check(t, "what the kernel counts", got, want)
		if got.reads < 16 || got.writes < 16 {
			t.Errorf("%+v is less than was done", got)
		}
	}, SubjectBlockIO)
}

// What is fast is not sent.
func TestBlockIOSlow(t *testing.T) {
	p := open(t, Options{SlowIO: time.Hour})
	needSubject(t, p, SubjectBlockIO)
	f, err := os.Create(filepath.Join(ext4(t), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, dev := diskOf(t, f.Name())
	if err := p.WatchDisk(dev); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	check(t, "requests", len(only(drain(t, p), KindBlockIO)), 0)
	var key, value []byte
	entries := p.shared.Maps[probesMapRequests].Iterate()
	if entries.Next(&key, &value) {
		t.Error("a request is left behind")
	}
	if err := entries.Err(); err != nil {
		t.Error(err)
	}
}
