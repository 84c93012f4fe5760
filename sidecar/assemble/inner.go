package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

// maxInner bounds what is kept of one kind from inside one write or fsync;
// those of calls that were not seen give way.
const maxInner = 64

// inner is what the file system had a thread do or wait for inside a write or
// an fsync of its own, beyond its ext4_dirty_inodes. Most have none: nil.
type inner struct {
	handles []*event.JournalWait
	flushes []*flush         // fast commits and log forces of its own
	io      []*event.BlockIO // the slowest meanwhile, of all; set when it has ended
}

func (t *thread) inside() *inner {
	if t.inner == nil {
		t.inner = &inner{}
	}
	return t.inner
}

func (a *Assembler) journalWait(e *event.JournalWait) {
	in := a.broker(e.PID).thread(e.TID).inside()
	if len(in.handles) >= maxInner {
		in.handles = in.handles[:0]
	}
	in.handles = append(in.handles, e)
}

func (in *inner) flushed(f *flush) {
	if len(in.flushes) >= maxInner {
		in.flushes = in.flushes[:0]
	}
	in.flushes = append(in.flushes, f)
}

// innerOf is what lies inside a call of the thread that has ended, and what the disk
// did meanwhile; what is left belongs to none.
func (a *Assembler) innerOf(t *thread, tid int32, d event.Device, from, to event.Time) *inner {
	all, io := t.inner, a.ioIn(d, tid, from, to)
	if all == nil && len(io) == 0 {
		return nil
	}
	t.inner = nil
	in := &inner{io: io}
	if all != nil {
		in.handles = slices.DeleteFunc(all.handles, func(h *event.JournalWait) bool { return h.Start < from || h.End > to })
		in.flushes = slices.DeleteFunc(all.flushes, func(f *flush) bool { return f.start < from || f.end > to })
	}
	a.holdWaits(in, d)
	return in
}

// waits are those for the journal; none where nothing was seen.
func (in *inner) waits() []*event.JournalWait {
	if in == nil {
		return nil
	}
	return in.handles
}

// disk is what the disk did meanwhile.
func (in *inner) disk() []*event.BlockIO {
	if in == nil {
		return nil
	}
	return in.io
}

// own are the thread's fast commits and log forces.
func (in *inner) own() []*flush {
	if in == nil {
		return nil
	}
	return in.flushes
}

// outside is what lies in none of the write's ext4_dirty_inodes.
func (w *write) outside() *inner {
	if w.inner == nil {
		return nil
	}
	rest := &inner{}
	for _, h := range w.inner.handles {
		if !slices.ContainsFunc(w.dirty, func(d *event.DirtyInode) bool { return lies(h.Start, h.End, d) }) {
			rest.handles = append(rest.handles, h)
		}
	}
	return rest
}
