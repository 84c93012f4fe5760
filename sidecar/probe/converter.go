package probe

import (
	"log/slog"
	"sync"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
)

// Options of New.
type Options struct {
	Emit   func(event.Event)
	Logger *slog.Logger
	// Symbol names the kernel function that a number in a record's stack
	// stands for (see Symbols); "" unknown. nil: stacks are left out.
	Symbol func(number uint64) string
}

// Converter makes events of records. Record is for one goroutine, the rest is
// safe for all.
type Converter struct {
	o       Options
	names   names
	threads threads
	stacks  stacks
	commits map[event.Device]*event.Commit

	mu          sync.RWMutex
	fileSystems map[event.Device]string
	disks       map[event.Device][]event.Device // of a disk: the file systems on it
	stats       Stats
	record      bpf.Record
}

// Stats counts records.
type Stats struct {
	Records   uint64
	Malformed uint64 // not of this format
	NotALog   uint64 // writes outside a partition's own directory
	NoBatch   uint64 // writes that begin with no record batch
}

// New returns a Converter that knows no device.
func New(o Options) *Converter {
	return &Converter{o: o, names: newNames(), threads: newThreads(), commits: map[event.Device]*event.Commit{},
		stacks: newStacks(o.Symbol), fileSystems: map[event.Device]string{}, disks: map[event.Device][]event.Device{}}
}

// FileSystem says of which type the file system on a device is.
func (c *Converter) FileSystem(d event.Device, kind string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fileSystems[d] = kind
}

// Stats may be read at any time.
func (c *Converter) Stats() Stats {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.stats
}

// Record takes one raw record; raw may be reused afterwards.
func (c *Converter) Record(raw []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Records++
	r := &c.record
	if err := bpf.Decode(raw, r); err != nil {
		c.stats.Malformed++
		if c.stats.Malformed == 1 && c.o.Logger != nil {
			c.o.Logger.Warn("a probe record is not of the format known here; it is left out, and so are more of them", "bytes", len(raw))
		}
		return
	}
	if e := c.event(r); e != nil {
		c.o.Emit(e)
	}
}

func (c *Converter) event(r *bpf.Record) event.Event {
	at := event.Time(r.Time)
	switch r.Kind {
	case bpf.KindWrite:
		if e := c.write(r); e != nil {
			return e
		}
	case bpf.KindWake:
		return &event.Wake{Time: at, Thread: c.thread(r, nil)}
	case bpf.KindDirtyInode:
		d := &r.DirtyInode
		return &event.DirtyInode{Start: event.Time(d.Start), End: at, Thread: c.thread(r, d.Comm),
			Device: event.Device(d.Device), Inode: d.Inode, FileSystem: c.fileSystems[event.Device(d.Device)]}
	case bpf.KindJournal:
		return c.journal(r)
	case bpf.KindCommitOrigin:
		c.origin(r)
	case bpf.KindCommitStats:
		c.commitStats(r)
	case bpf.KindBlockIO:
		c.blockIO(r)
	default:
		if e := c.jvm(r); e != nil {
			return e
		}
		return c.inside(r)
	}
	return nil
}

func (c *Converter) thread(r *bpf.Record, comm []byte) event.Thread {
	return c.threadOf(r.TGID, r.TID, comm)
}
