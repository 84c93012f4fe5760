package assemble

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// thread is what is remembered of one thread: the gap that it is in, the
// ext4_dirty_inodes of the write that it is in, and its latest doings, among
// which a holder's are looked up.
type thread struct {
	gap     *gap
	waiting *wait // for a monitor, now
	wrote   bool  // ever
	parker  parker
	dirty   []*event.DirtyInode
	inner   *inner // of the write or fsync that it is in; nil: nothing yet
	stays   stays  // likewise
	doings  [doingsKept]doing
	next    int
}

// doingsKept is how far back a holder's doings are looked up: a wait has one
// holder after the other, each with a write and a few waits at most.
const doingsKept = 64

// doing is a write, an fsync or a wait of a thread.
type doing struct {
	start, end event.Time
	write      *write
	fsync      *fsync
	wait       *wait
}

// gap is the time of a thread between two boundaries: writes, the wake-ups of
// network threads that hand over a response, and stays in the request queue. The waits and fsyncs in it
// belong to the request written before or after it.
type gap struct {
	prev, next *write // nil: it began or ended with a wake-up or a stay in the queue, or is open
	idle       idle   // the stay in the request queue that it began with
	waits      []*wait
	fsyncs     []*fsync
}

// requests are those that wrote before and after the gap, as far as known.
func (g *gap) requests(yield func(*request) bool) {
	for _, w := range [...]*write{g.prev, g.next} {
		if w != nil && w.part != nil && !yield(w.part.r) {
			return
		}
	}
}

func (b *broker) thread(tid int32) *thread {
	t := b.threads[tid]
	if t == nil {
		if len(b.threads) >= maxThreads {
			clear(b.threads)
			clear(b.monitors)
		}
		t = &thread{gap: &gap{}}
		b.threads[tid] = t
	}
	return t
}

func (t *thread) did(d doing) {
	t.doings[t.next] = d
	t.next = (t.next + 1) % doingsKept
}

// maxGapWaits bounds the waits of one gap, and its fsyncs: a thread that neither
// writes nor wakes others (a timer's, a producer's own) would gather them forever.
const maxGapWaits = 256

// appendBounded appends; it forgets the older half of too many.
func appendBounded[T any](all []T, x T) []T {
	if n := len(all); n >= maxGapWaits {
		all = append(make([]T, 0, maxGapWaits), all[n/2:]...)
	}
	return append(all, x)
}

// enterThread puts a write among its thread's doings, with the
// ext4_dirty_inodes inside it.
func (a *Assembler) enterThread(b *broker, w *write) {
	t := b.thread(w.ev.TID)
	if x := t.waiting; x != nil && x.source != event.SourceJFR && x.start <= w.ev.Start { // the end of its wait was lost
		b.unwait(x)
		a.loseWait(t)
	}
	for _, d := range t.dirty {
		if d.Start >= w.ev.Start && d.End <= w.ev.End {
			w.dirty = append(w.dirty, d)
			a.hold(d, w)
		}
	}
	t.dirty = t.dirty[:0]
	w.inner = a.innerOf(t, w.ev.TID, w.ev.Device, w.ev.Start, w.ev.End)
	w.cpu = a.during(&t.stays, w.ev.Start, w.ev.End)
	if a.o.Rows.Stacks && w.cpu != nil {
		a.printStacks(w, &t.stays)
	}
	t.stays.reset()
	w.before, t.gap.next, t.wrote = t.gap, w, true
	t.gap = &gap{prev: w}
	w.after = t.gap
	t.did(doing{start: w.ev.Start, end: w.ev.End, write: w})
}

// maxDirty bounds the ext4_dirty_inodes of one write; there are one to three.
// Those of writes that were not seen give way.
const maxDirty = 64

func (a *Assembler) dirtyInode(e *event.DirtyInode) {
	b := a.broker(e.PID)
	if a.o.Measures != nil && e.FileSystem == "ext4" {
		a.o.Measures.MeasureDirtyInode(b.id.Node, time.Duration(e.End-e.Start))
	}
	t := b.thread(e.TID)
	if len(t.dirty) >= maxDirty {
		t.dirty = t.dirty[:0]
	}
	t.dirty = append(t.dirty, e)
}

func (a *Assembler) wake(e *event.Wake) {
	a.broker(e.PID).thread(e.TID).gap = &gap{}
}

// gather is the request's waits: those of its handler threads between their
// boundaries. What could be another's as well is left out, and counted.
func (r *request) gather(ambiguous *uint64) []*wait {
	if r.finished {
		return r.waits
	}
	var all []*wait
	for i := range r.parts {
		w := r.parts[i].write
		if w == nil || w.before == nil {
			continue
		}
		for _, g := range [...]*gap{w.before, w.after} {
			for _, x := range g.waits {
				if r.claims(x.start, g, &x.ambiguous, ambiguous) {
					all = append(all, x)
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y *wait) int { return cmp.Compare(x.start, y.start) })
	return slices.Compact(all)
}

// claims says whether what began at start in a gap is the request's; what could
// be another's as well is marked, and counted unless count is nil.
func (r *request) claims(start event.Time, g *gap, ambiguous *bool, count *uint64) bool {
	owned := r.owns(start, g)
	if owned == ownedMaybe && count != nil && !*ambiguous {
		*ambiguous = true
		*count++
	}
	return owned == ownedYes
}

type owned uint8

const (
	ownedNo owned = iota
	ownedMaybe
	ownedYes
)

// owns decides by the boundaries: a wait or an fsync between two writes of different
// requests without a wake-up seen between them (the broker coalesces these) is
// the first's before the second had come, the second's after the first's
// response has left, and could be either's in between.
func (r *request) owns(start event.Time, g *gap) owned {
	if !r.covers(start) {
		return ownedNo
	}
	for other := range g.requests {
		if other != r && other.covers(start) {
			return ownedMaybe
		}
	}
	return ownedYes
}

// takes says whether what began at start in a gap will stand in the request's
// trace. One that is finished has taken what it owns.
func (r *request) takes(start event.Time, g *gap) bool {
	return !r.finished && r.owns(start, g) == ownedYes
}

// covers says whether something began while the request was the broker's. A
// thread that waited before that could read it worked for somebody else.
func (r *request) covers(start event.Time) bool {
	return start >= r.earliestRead()-arrivalSlack && (r.end == 0 || start < r.end)
}

// earliestRead is when the broker may have read it. The response before it may be
// seen later than the broker had sent it; where a write of the request is, too, that
// says nothing.
func (r *request) earliestRead() event.Time {
	if r.muted <= r.ev.LastByte {
		return r.ev.LastByte
	}
	for i := range r.parts {
		if w := r.parts[i].write; w != nil && w.ev.Start < r.muted {
			return r.ev.LastByte
		}
	}
	return r.muted
}
