package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// mount is a file system that needs no disk.
type mount struct{ what, on string }

var system = []mount{
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
	{"tmpfs", "/run"},
	{"securityfs", "/sys/kernel/security"},
	{"debugfs", "/sys/kernel/debug"},
	{"tracefs", "/sys/kernel/tracing"},
	{"cgroup2", "/sys/fs/cgroup"},
	{"bpf", "/sys/fs/bpf"},
}

func mountAll(all []mount) error {
	for _, m := range all {
		// What is below /sys is the kernel's to make: what it lacks, it lacks.
		if err := os.MkdirAll(m.on, 0o755); err != nil && !strings.HasPrefix(m.on, "/sys/") {
			return err
		}
		if err := unix.Mount(m.what, m.on, m.what, 0, ""); err != nil && !strings.HasPrefix(m.on, "/sys/") {
			return fmt.Errorf("mount %s: %w", m.on, err)
		}
	}
	return nil
}

// load puts a module into the kernel.
func load(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("load %s: %w", filepath.Base(file), err)
	}
	return nil
}

// loopback brings lo up.
func loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	return nil
}

// disksWithin is what a slow guest takes to find its disks, and much more.
const disksWithin = 30 * time.Second

// mountDisk waits for a disk, for they are found one by one, in any order.
func mountDisk(m plan.Mount) error {
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		device, err := findDisk(m.Serial)
		if err == nil {
			if err = os.MkdirAll(m.Dir, 0o755); err == nil {
				err = unix.Mount(device, m.Dir, m.Type, 0, m.Data)
			}
			if err == nil {
				return nil
			}
			return fmt.Errorf("mount %s (%s) on %s: %w", m.Type, m.Data, m.Dir, err)
		}
		if time.Since(begun) > disksWithin {
			return err
		}
	}
}

// findDisk is the device file of the NVMe disk with a serial number.
func findDisk(serial string) (string, error) {
	files, _ := filepath.Glob("/sys/class/nvme/*/serial")
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil || strings.TrimSpace(string(b)) != serial {
			continue
		}
		device := "/dev/" + filepath.Base(filepath.Dir(f)) + "n1"
		if _, err := os.Stat(device); err == nil {
			return device, nil
		}
	}
	return "", fmt.Errorf("no disk %s among %d", serial, len(files))
}
