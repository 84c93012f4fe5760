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
	flushes []*flush // fast commits and log forces of its own
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

// take is what lies inside a call that has ended; what is left belongs to none.
func (t *thread) take(from, to event.Time) *inner {
	all := t.inner
	t.inner = nil
	if all == nil {
		return nil
	}
	in := &inner{}
	for _, h := range all.handles {
		if h.Start >= from && h.End <= to {
			in.handles = append(in.handles, h)
		}
	}
	for _, f := range all.flushes {
		if f.start >= from && f.end <= to {
			in.flushes = append(in.flushes, f)
		}
	}
	if len(in.handles)+len(in.flushes) == 0 {
		return nil
	}
	return in
}

// waits are those for the journal; none where nothing was seen.
func (in *inner) waits() []*event.JournalWait {
	if in == nil {
		return nil
	}
	return in.handles
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
