package bpf

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// mounted is a fresh file system on a loop device.
type mounted struct {
	dir  string
	loop string // loop0
	dev  uint32 // the kernel's number
}

// mount makes and mounts a file system of so many MiB; mkfs is the command up to
// the image, options those of mount(8).
func mount(t testing.TB, size int64, options string, mkfs ...string) mounted {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	image, mnt := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := errorsOf(os.Truncate(image, size<<20), os.Mkdir(mnt, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range [][]string{append(mkfs, image), {"mount", "-o", strings.Trim("loop,"+options, ","), image, mnt}} {
		if out, err := exec.Command(cmd[0], cmd[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no such file system here: %s: %v: %s", cmd[0], err, out)
		}
	}
	t.Cleanup(func() { unmount(t, mnt) })
	return atMount(t, mnt)
}

func atMount(t testing.TB, mnt string) mounted {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(mnt, &st); err != nil {
		t.Fatal(err)
	}
	return mounted{mnt, fmt.Sprintf("loop%d", unix.Minor(st.Dev)), Device(st.Dev)}
}

// unmount also detaches the loop device that mount made; a straggler of the
// kernel's own may keep it busy for a moment.
func unmount(t testing.TB, mnt string) {
	var out []byte
	var err error
	for range 50 {
		if out, err = exec.Command("umount", mnt).CombinedOutput(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("umount: %v: %s", err, out)
}
