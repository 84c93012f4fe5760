package slowdisk

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/isolate"
)

func TestMain(m *testing.M) {
	Main()
	if os.Geteuid() == 0 {
		if err := isolate.Mounts(); err != nil {
			fmt.Fprintln(os.Stderr, "not isolated:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// TestDiskStalls writes to each file system and waits for each write to reach the
// disk: some take the length of a stall, most do not.
func TestDiskStalls(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting needs root")
	}
	for _, f := range []Format{{}, {Feature: "fast_commit"}, {Data: "data=writeback,commit=1"}, {Type: "xfs"}} {
		t.Run(f.String(), func(t *testing.T) { testStalls(t, f) })
	}
}

func testStalls(t *testing.T, format Format) {
	if _, err := exec.LookPath(format.mkfs()[0]); err != nil {
		t.Skip(err)
	}
	s := Schedule{Base: time.Millisecond, Every: 800 * time.Millisecond, Hold: 300 * time.Millisecond, Seed: 7}
	d, err := New(t.Context(), t.TempDir(), 512<<20, format, s)
	if err != nil {
		t.Fatal(err)
	}
	device := filepath.Base(d.Device)
	f, err := os.Create(filepath.Join(d.Mount, "file"))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Stall(); err != nil {
		t.Fatal(err)
	}
	quick, slow := 0, 0
	for end := time.Now().Add(2 * s.Every); time.Now().Before(end); {
		begin := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			t.Fatal(err)
		}
		if err := unix.Fsync(int(f.Fd())); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) > s.Hold/2 {
			slow++
		} else {
			quick++
		}
	}
	if quick < 10 || slow < 1 || slow > 4 {
		t.Errorf("%d quick and %d slow writes in two periods", quick, slow)
	}
	f.Close()
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	mustBeGone(t, d.Mount, device)
}

func mustBeGone(t *testing.T, mount, device string) {
	t.Helper()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), mount) {
		t.Errorf("%s is still mounted", mount)
	}
	if b, err := os.ReadFile(filepath.Join("/sys/block", device, "loop/backing_file")); err == nil {
		t.Errorf("%s is still on %s", device, b)
	}
}
