package probe

import (
	"slices"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// inside is what happened to a thread inside a write, or to the file system
// that it wrote to.
func (c *Converter) inside(r *bpf.Record) event.Event {
	at := event.Time(r.Time)
	switch r.Kind {
	case bpf.KindOffCPU:
		o := &r.OffCPU
		return &event.OffCPU{Start: event.Time(o.Start), Woken: event.Time(o.Woken), End: at, Thread: c.thread(r, o.Comm),
			Preempted: o.Preempted, IO: o.IO, Stack: c.stacks.of(o.Stack)}
	case bpf.KindSample:
		return &event.Sample{Time: at, Thread: c.thread(r, r.Sample.Comm), Stack: c.stacks.of(r.Sample.Stack)}
	case bpf.KindFsync:
		f := &r.Fsync
		return &event.Fsync{Start: event.Time(f.Start), End: at, Thread: c.thread(r, f.Comm), Device: event.Device(f.Device),
			Inode: f.Inode, File: c.names.file(f.Dir, f.Name), Data: f.Data, Result: f.Result}
	case bpf.KindJournalWait:
		w := &r.JournalWait
		return &event.JournalWait{Start: event.Time(w.Start), End: at, Thread: c.thread(r, w.Comm),
			Device: event.Device(w.Device), Transaction: w.Transaction, Grant: w.Kind == bpf.WaitGrant}
	case bpf.KindFastCommit:
		f := &r.FastCommit
		return &event.FastCommit{Start: event.Time(f.Start), End: at, Thread: c.thread(r, f.Comm),
			Device: event.Device(f.Device), Transaction: f.Transaction, Blocks: f.Blocks, Status: f.Status}
	case bpf.KindLogForce:
		f := &r.LogForce
		return &event.LogForce{Start: event.Time(f.Start), End: at, Thread: c.thread(r, f.Comm),
			Device: event.Device(f.Device), Sync: f.Flags&logSync != 0}
	}
	return nil
}

// logSync is XFS_LOG_SYNC (fs/xfs/xfs_log.h).
const logSync = 1

// ops are the REQ_OP_* that have a name of their own here
// (include/linux/blk_types.h).
var ops = map[uint32]string{0: "read", 1: "write", 2: "flush", 3: "discard"}

const (
	maxDevices = 1 << 10 // disks, and file systems with a commit under way
	maxOnDisk  = 64      // file systems on one disk
)

// Disks says which disks the file system of a device lies on: requests go to
// them, by their own numbers. Of a host's there are few; a recording may name
// any, and what is beyond the bound is left out.
func (c *Converter) Disks(fileSystem event.Device, disks []event.Device) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range disks {
		on := c.disks[d]
		if slices.Contains(on, fileSystem) || len(on) >= maxOnDisk || on == nil && len(c.disks) >= maxDevices {
			continue
		}
		c.disks[d] = append(on, fileSystem)
	}
}

// blockIO is told of each file system on the disk.
func (c *Converter) blockIO(r *bpf.Record) {
	b := &r.BlockIO
	op := ops[b.Op]
	if op == "" {
		op = "other"
	}
	for _, fs := range c.disks[event.Device(b.Device)] {
		c.o.Emit(&event.BlockIO{Start: event.Time(b.Start), End: event.Time(r.Time), Thread: c.thread(r, b.Comm),
			Device: fs, Disk: event.Device(b.Device), Sector: b.Sector, Bytes: b.Bytes, Op: op, Error: b.Error})
	}
}
