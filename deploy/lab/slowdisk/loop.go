package slowdisk

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attempts bounds the search for a free loop device: another process may take
// the one that the kernel just named.
const attempts = 16

// attach sets up a loop device on the file, with direct I/O; it clears itself
// when its last user is gone. The caller closes the device after mounting it.
func attach(backing *os.File) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open loop control: %w", err)
	}
	defer control.Close()
	for range attempts {
		n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
		if err != nil {
			return nil, fmt.Errorf("find free loop device: %w", err)
		}
		dev, err := configure(n, backing)
		if errors.Is(err, unix.EBUSY) {
			continue
		}
		return dev, err
	}
	return nil, fmt.Errorf("find free loop device: none in %d attempts", attempts)
}

func configure(n int, backing *os.File) (*os.File, error) {
	name := fmt.Sprintf("/dev/loop%d", n)
	if err := unix.Mknod(name, unix.S_IFBLK|0o600, int(unix.Mkdev(7, uint32(n)))); err != nil && !errors.Is(err, unix.EEXIST) {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	dev, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("open loop device: %w", err)
	}
	c := unix.LoopConfig{Fd: uint32(backing.Fd()), Size: 4096}
	c.Info.Flags = unix.LO_FLAGS_AUTOCLEAR | unix.LO_FLAGS_DIRECT_IO
	copy(c.Info.File_name[:], serverName)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, dev.Fd(), unix.LOOP_CONFIGURE, uintptr(unsafe.Pointer(&c)))
	if errno != 0 {
		return nil, errors.Join(fmt.Errorf("configure %s: %w", name, errno), dev.Close())
	}
	return dev, nil
}
