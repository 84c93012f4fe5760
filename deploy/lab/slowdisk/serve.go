package slowdisk

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

const (
	serverName = "tailspan-slowdisk" // argv[0] of the server process
	fileName   = "disk"              // the only file of the file system
)

// order is what the server is told to do, as its only argument.
type order struct {
	Mount    string
	Bytes    int64
	Schedule Schedule
}

// Main serves the file system and exits if this process was started for that;
// else it returns at once.
func Main() { child.Main(serverName, "slow disk", serve) }

// serve mounts, says "ready" on its output, starts to stall when a line comes
// in, and unmounts on SIGTERM. The data is a file without a name: it is gone
// with the process.
func serve(arg string) error {
	var o order
	if err := json.Unmarshal([]byte(arg), &o); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	data, err := nameless(o)
	if err != nil {
		return err
	}
	d := &disk{data: data, size: o.Bytes, schedule: o.Schedule}
	server, err := fs.Mount(o.Mount, &root{disk: d}, &fs.Options{MountOptions: fuse.MountOptions{
		FsName: serverName, Name: serverName, DirectMountStrict: true,
		MaxWrite: 1 << 20, MaxBackground: 128,
	}})
	if err != nil {
		return fmt.Errorf("mount fuse: %w", err)
	}
	fmt.Println("ready")
	go d.stallFrom(os.Stdin)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	<-stop
	return server.Unmount()
}

func nameless(o order) (*os.File, error) {
	f, err := os.CreateTemp(o.Mount, "disk-") // hidden below the mount, then unlinked
	if err != nil {
		return nil, fmt.Errorf("make backing file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("unlink backing file: %w", err)
	}
	if err := f.Truncate(o.Bytes); err != nil {
		return nil, fmt.Errorf("size backing file: %w", err)
	}
	return f, nil
}

// root is the directory.
type root struct {
	fs.Inode
	disk *disk
}

func (r *root) OnAdd(ctx context.Context) {
	r.AddChild(fileName, r.NewPersistentInode(ctx, r.disk, fs.StableAttr{Mode: fuse.S_IFREG}), false)
}

// disk is the file. Its methods run on many goroutines at once.
type disk struct {
	fs.Inode
	data     *os.File
	size     int64
	schedule Schedule
	start    atomic.Pointer[time.Time] // nil: not stalling yet
}

func (d *disk) stallFrom(in *os.File) {
	if _, err := bufio.NewReader(in).ReadString('\n'); err == nil {
		now := time.Now()
		d.start.Store(&now)
	}
}

// wait holds one operation back as the schedule says.
func (d *disk) wait() {
	start := d.start.Load()
	if start == nil {
		return
	}
	at := time.Since(*start)
	time.Sleep(d.schedule.Release(at) - at)
}

func (d *disk) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Blksize = fuse.S_IFREG|0o600, uint64(d.size), 4096
	return 0
}

func (d *disk) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	d.wait()
	n, err := d.data.ReadAt(dest, off)
	if n < len(dest) && off+int64(n) < d.size {
		return nil, fs.ToErrno(err)
	}
	return fuse.ReadResultData(dest[:n]), 0
}

func (d *disk) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	if off < 0 || off+int64(len(data)) > d.size {
		return 0, syscall.ENOSPC
	}
	d.wait()
	n, err := d.data.WriteAt(data, off)
	return uint32(n), fs.ToErrno(err)
}

// Fsync only waits: the data need not survive the machine.
func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.wait()
	return 0
}
