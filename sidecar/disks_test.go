package sidecar

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// sysfs lays out block devices as the kernel does: a directory each, a link by
// number, and links to what one lies on.
type sysfs struct {
	t    *testing.T
	root string
}

func (s sysfs) add(path, dev string, slaves ...string) {
	s.t.Helper()
	dir := filepath.Join(s.root, "devices", path)
	if err := os.MkdirAll(filepath.Join(dir, "slaves"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dev"), []byte(dev+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.link(dir, filepath.Join("dev", dev))
	for _, below := range slaves {
		s.link(filepath.Join(s.root, "devices", below), filepath.Join("devices", path, "slaves", filepath.Base(below)))
	}
}

func (s sysfs) link(to, name string) {
	s.t.Helper()
	name = filepath.Join(s.root, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink(to, name); err != nil {
		s.t.Fatal(err)
	}
}

func (s sysfs) partition(path, dev string) {
	s.add(path, dev)
	if err := os.WriteFile(filepath.Join(s.root, "devices", path, "partition"), []byte("1\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func TestDisksBelow(t *testing.T) {
	s := sysfs{t, t.TempDir()}
	s.add("sda", "8:0")
	s.partition("sda/sda1", "8:1")
	s.add("sdb", "8:16")
	s.partition("sdb/sdb3", "8:19")
	s.add("loop0", "7:0")
	s.add("md0", "9:0", "sda/sda1", "sdb/sdb3")
	s.add("dm-0", "253:0", "md0")
	s.add("dm-1", "253:1", "dm-0", "sda")
	s.add("dm-2", "253:2", "dm-2") // on itself
	dev := func(major, minor uint32) event.Device { return event.Device(major<<20 | minor) }
	for _, c := range []struct {
		of   event.Device
		want []event.Device
		ok   bool
	}{
		{dev(8, 0), []event.Device{dev(8, 0)}, true},
		{dev(8, 1), []event.Device{dev(8, 0)}, true},
		{dev(7, 0), []event.Device{dev(7, 0)}, true},
		{dev(253, 1), []event.Device{dev(8, 0), dev(8, 16)}, true},
		{dev(0, 38), nil, true},
		{dev(253, 2), nil, false},
	} {
		got, err := disksBelow(filepath.Join(s.root, "dev"), c.of)
		if (err == nil) != c.ok || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v; want %v", number(c.of), got, err, c.want)
		}
	}
}

// What this machine has: every device of a mounted disk leads to disks that exist.
func TestDisksOfThisMachine(t *testing.T) {
	all, err := os.ReadDir(sysBlock)
	if err != nil || len(all) == 0 {
		t.Skip("no block devices here: ", err)
	}
	for _, e := range all {
		d, err := deviceNumber(filepath.Join(sysBlock, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if number(d) != e.Name() {
			t.Errorf("%s is read as %s", e.Name(), number(d))
		}
		disks, err := disksBelow(sysBlock, d)
		if err != nil || len(disks) == 0 {
			t.Errorf("%s: %v, %v", e.Name(), disks, err)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat("/proc", &st); err != nil {
		t.Fatal(err)
	}
	if disks, err := disksBelow(sysBlock, event.Device(bpf.Device(st.Dev))); err != nil || len(disks) != 0 {
		t.Errorf("/proc lies on %v, %v", disks, err)
	}
}
