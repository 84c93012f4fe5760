package sidecar

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// sysBlock has a link for each block device, named major:minor
// (Documentation/ABI/stable/sysfs-block).
const sysBlock = "/sys/dev/block"

const (
	maxDiskDepth = 8  // of devices on devices
	maxDisks     = 64 // below one file system
)

// disksBelow are the disks that requests of a file system's device go to: of a
// partition the whole disk, of what lies on others (device mapper, md) these, of
// a loop device itself. None for a file system without one. An error names what
// could not be read; the disks found besides are given too.
func disksBelow(root string, d event.Device) ([]event.Device, error) {
	var all []event.Device
	err := addDisks(root, d, maxDiskDepth, &all)
	if errors.Is(err, fs.ErrNotExist) && len(all) == 0 {
		return nil, nil // an anonymous device: tmpfs, overlay, btrfs
	}
	return all, err
}

func addDisks(root string, d event.Device, depth int, all *[]event.Device) error {
	if depth == 0 || len(*all) >= maxDisks {
		return fmt.Errorf("devices below %s: too many, or too deep", number(d))
	}
	dir, err := filepath.EvalSymlinks(filepath.Join(root, number(d)))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, "partition")); err == nil {
		dir = filepath.Dir(dir)
		if d, err = deviceNumber(dir); err != nil {
			return err
		}
	}
	slaves, err := os.ReadDir(filepath.Join(dir, "slaves"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(slaves) == 0 {
		if !slices.Contains(*all, d) {
			*all = append(*all, d)
		}
		return nil
	}
	var failed error
	for _, s := range slaves {
		below, err := deviceNumber(filepath.Join(dir, "slaves", s.Name()))
		if err == nil {
			err = addDisks(root, below, depth-1, all)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

// deviceNumber is what a block device's directory says of itself.
func deviceNumber(dir string) (event.Device, error) {
	text, err := os.ReadFile(filepath.Join(dir, "dev"))
	if err != nil {
		return 0, err
	}
	major, minor, _ := strings.Cut(strings.TrimSpace(string(text)), ":")
	hi, err1 := strconv.ParseUint(major, 10, 12)
	lo, err2 := strconv.ParseUint(minor, 10, 20)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("parse %s/dev: %w", dir, err)
	}
	return event.Device(hi<<20 | lo), nil
}

// number is a device as sysfs writes it.
func number(d event.Device) string { return fmt.Sprintf("%d:%d", d.Major(), d.Minor()) }

// watchDisks has the kernel show the requests to a broker's disks.
func (l *live) watchDisks(r recording.Broker) {
	for dev, disks := range r.Disks {
		for _, d := range disks {
			if err := l.kernel.WatchDisk(uint32(d)); err != nil {
				l.log.Warn("requests to a disk of a log dir cannot be seen", "pid", r.PID, "device", number(dev), "disk", number(d), "error", err)
			}
		}
	}
}

// Magic numbers of statfs(2), include/uapi/linux/magic.h; ext2, ext3 and ext4
// share theirs, and the ext4 driver serves all three.
var fileSystems = map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "xfs",
	unix.BTRFS_SUPER_MAGIC: "btrfs", unix.TMPFS_MAGIC: "tmpfs", unix.OVERLAYFS_SUPER_MAGIC: "overlay"}

// fileSystem is the device of a directory and the type of its file system.
func fileSystem(dir string) (event.Device, string, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, "", fmt.Errorf("stat %s: %w", dir, err)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, "", fmt.Errorf("statfs %s: %w", dir, err)
	}
	return event.Device(bpf.Device(st.Dev)), fileSystems[int64(fs.Type)], nil
}
