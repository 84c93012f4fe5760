package slowdisk

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// Disk is a mounted slow disk.
type Disk struct {
	Mount  string // where the file system is
	Device string // /dev/loopN
	fuse   string // where the FUSE file system is
	server *child.Process
	stdin  io.WriteCloser
}

const (
	readyWithin = 10 * time.Second
	stopWithin  = 10 * time.Second
	busyRetry   = 100 * time.Millisecond
	busyTries   = 100
)

// New makes and mounts a disk of so many bytes below dir. It does not stall
// before Stall is called. Close takes it all down.
func New(ctx context.Context, dir string, bytes int64, format Format, s Schedule) (*Disk, error) {
	d := &Disk{Mount: filepath.Join(dir, "disk"), fuse: filepath.Join(dir, "fuse")}
	for _, p := range []string{d.Mount, d.fuse} {
		if err := os.MkdirAll(p, 0o755); err != nil {
			return nil, fmt.Errorf("make mount point: %w", err)
		}
	}
	if err := d.serve(ctx, dir, order{d.fuse, bytes, s}); err != nil {
		return nil, errors.Join(fmt.Errorf("slow disk: %w", err), d.Close())
	}
	if err := d.format(ctx, format); err != nil {
		return nil, errors.Join(fmt.Errorf("slow disk: %w", err), d.Close())
	}
	return d, nil
}

// serve starts the FUSE server and waits until it has mounted.
func (d *Disk) serve(ctx context.Context, dir string, o order) error {
	arg, err := json.Marshal(o)
	if err != nil {
		return err
	}
	cmd := &exec.Cmd{Path: "/proc/self/exe", Args: []string{serverName, string(arg)}}
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = w
	if d.stdin, err = cmd.StdinPipe(); err != nil {
		return err
	}
	d.server, err = child.Start("slow disk", filepath.Join(dir, "slowdisk.log"), cmd)
	w.Close()
	if err != nil {
		return err
	}
	return d.ready(ctx, out)
}

func (d *Disk) ready(ctx context.Context, out *os.File) error {
	line := make(chan bool, 1)
	go func() { line <- bufio.NewScanner(out).Scan() }()
	select {
	case ok := <-line:
		if !ok {
			return fmt.Errorf("server %w, see %s", child.ErrEnded, d.server.Log)
		}
		return nil
	case <-time.After(readyWithin):
		return fmt.Errorf("server is not ready after %s, see %s", readyWithin, d.server.Log)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// format makes the file system and mounts it.
func (d *Disk) format(ctx context.Context, f Format) error {
	backing, err := os.OpenFile(filepath.Join(d.fuse, fileName), os.O_RDWR|unix.O_DIRECT, 0)
	if err != nil {
		return fmt.Errorf("open disk file: %w", err)
	}
	defer backing.Close()
	dev, err := attach(backing)
	if err != nil {
		return err
	}
	defer dev.Close()
	d.Device = dev.Name()
	args := append(f.mkfs(), d.Device)
	if out, err := child.Guard(exec.CommandContext(ctx, args[0], args[1:]...)).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	if err := unix.Mount(d.Device, d.Mount, f.kind(), unix.MS_NOATIME, f.Data); err != nil {
		return fmt.Errorf("mount %s: %w", f, err)
	}
	return nil
}

// Stall starts the schedule.
func (d *Disk) Stall() error {
	_, err := d.stdin.Write([]byte("\n"))
	return err
}

// SyncEvery writes out what is dirty (sync -f), again and again: each time a
// journal commit, as databases and cron jobs on the same disk cause them.
func (d *Disk) SyncEvery(ctx context.Context, period time.Duration) error {
	f, err := os.Open(d.Mount)
	if err != nil {
		return err
	}
	defer f.Close()
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := unix.Syncfs(int(f.Fd())); err != nil {
				return fmt.Errorf("sync %s: %w", d.Mount, err)
			}
		}
	}
}

// Close unmounts and stops. What is still in use is detached, and vanishes
// with its last user.
func (d *Disk) Close() error {
	var errs []error
	errs = append(errs, unmount(d.Mount))
	if d.server != nil {
		// The loop device holds the file until it has cleared itself.
		errs = append(errs, unmount(d.fuse))
		_ = d.server.Stop(syscall.SIGTERM, stopWithin)
	}
	return errors.Join(errs...)
}

// unmount waits while the mount is busy, then detaches it.
func unmount(path string) error {
	for range busyTries {
		switch err := unix.Unmount(path, 0); {
		case err == nil, errors.Is(err, unix.EINVAL): // EINVAL: not mounted
			return nil
		case !errors.Is(err, unix.EBUSY):
			return fmt.Errorf("unmount %s: %w", path, err)
		}
		time.Sleep(busyRetry)
	}
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("detach %s: %w", path, err)
	}
	return nil
}
