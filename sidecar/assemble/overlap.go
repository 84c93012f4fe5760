package assemble

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// overlap is the part of a write or an fsync that a commit took, or its
// counterpart: a fast commit, a log force, the wait for room in XFS's log.
type overlap struct {
	start, end event.Time
	dirty      *event.DirtyInode  // inside it; nil: elsewhere
	handle     *event.JournalWait // inside that wait; nil: elsewhere
	how        join
	cost       int // index in causes

	flush *flush // instead of a commit
	grant bool   // likewise: the wait itself is all

	commit      spans.TraceID
	device      event.Device
	transaction uint32
	phase       string // "", and commit zero, where the commit's end was not seen
}

// stretch is a part of a write, or an fsync.
type stretch struct {
	thread   event.Thread
	cpu      *cpu // of the whole call; nil: not known
	from, to event.Time
	dirty    *event.DirtyInode // inside it; nil: elsewhere
	sync     bool              // of an fsync
}

// least is the shortest overlap that is taken for more than a coincidence.
func (s *stretch) least() event.Time {
	if s.dirty != nil || s.sync {
		return minHeld
	}
	return minBlocked
}

// carve divides a stretch by the thread's own waits for the journal and flushes:
// of these it is known what it waited for, of the rest not.
func (j *journal) carve(all []overlap, s stretch, in *inner) []overlap {
	type cut struct {
		start, end event.Time
		handle     *event.JournalWait
		flush      *flush
	}
	var cuts []cut
	for _, h := range in.waits() {
		cuts = append(cuts, cut{h.Start, h.End, h, nil})
	}
	for _, f := range in.own() {
		cuts = append(cuts, cut{f.start, f.end, nil, f})
	}
	slices.SortStableFunc(cuts, func(x, y cut) int { return cmp.Compare(x.start, y.start) })
	from := s.from
	for _, c := range cuts {
		if c.start < from || c.end > s.to {
			continue
		}
		all = j.rest(all, s, from, c.start)
		from = c.end
		if c.flush != nil {
			all = append(all, overlap{start: c.start, end: c.end, dirty: s.dirty, how: joinExact, cost: c.flush.cost(), flush: c.flush, device: c.flush.device})
			continue
		}
		all = j.waited(all, s, c.handle)
	}
	return j.rest(all, s, from, s.to)
}

// waited is what ran during a wait to join a transaction. Who joins the next one
// has waited for the one before it to be locked, until that is flushed
// (fs/jbd2/transaction.c, wait_transaction_locked; commit.c, T_FLUSH); whoever
// waits longer waits for something else, such as a CPU. Some kernels shut the journal for a fast commit, too
// (jbd2_journal_lock_updates: for all of it, or while it marks its inodes; 5.10
// does not): that the wait was for that is likely, and no more.
func (j *journal) waited(all []overlap, s stretch, h *event.JournalWait) []overlap {
	if h.Grant {
		return append(all, overlap{start: h.Start, end: h.End, dirty: s.dirty, handle: h, how: joinExact, cost: costLog, grant: true, device: h.Device})
	}
	for c := range j.running(h.Start, h.End) {
		from := h.Start
		if h.Transaction == c.transaction+1 && c.ev != nil && c.ev.Flushing > from {
			o := c.overlap(from, min(c.ev.Flushing, h.End))
			o.dirty, o.handle, o.how = s.dirty, h, joinExact
			all, from = append(all, o), o.end
		}
		if o := c.overlap(from, h.End); o.end-o.start >= minBlocked {
			o.dirty, o.handle, o.how = s.dirty, h, joinInferred
			all = append(all, o)
		}
	}
	for f := range j.flushing(h.Start, h.End, s.thread.TID) {
		o := f.overlap(h.Start, h.End)
		o.dirty, o.handle = s.dirty, h
		all = append(all, o)
	}
	return all
}

// rest is what ran while the thread may have waited for it: inside an
// ext4_dirty_inode there is nothing else to wait for. Elsewhere, and for fast
// commits, its reasons decide, where they are known.
func (j *journal) rest(all []overlap, s stretch, from, to event.Time) []overlap {
	switch {
	case s.cpu == nil:
		return j.flushed(j.committed(all, s, from, to, joinInferred), s, from, to, joinInferred)
	case s.dirty != nil:
		all = j.committed(all, s, from, to, joinExact)
	}
	for i := range s.cpu.waits {
		w := &s.cpu.waits[i]
		start, end := max(from, w.start), min(to, w.end)
		if s.dirty == nil {
			all = j.committed(all, s, start, end, w.forCommit())
		}
		all = j.flushed(all, s, start, end, w.forFlush())
	}
	return all
}

// committed are the commits that ran; an fsync waits for the one that it had
// begun.
func (j *journal) committed(all []overlap, s stretch, from, to event.Time, how join) []overlap {
	if how == joinNone {
		return all
	}
	for c := range j.running(from, to) {
		o := c.overlap(from, to)
		o.dirty, o.how = s.dirty, how
		if s.dirty != nil || s.sync && c.ev != nil && c.ev.By.TID == s.thread.TID && c.ev.By.PID == s.thread.PID {
			o.how = joinExact
		}
		all = s.keep(all, o)
	}
	return all
}

// flushed are the fast commits of others.
func (j *journal) flushed(all []overlap, s stretch, from, to event.Time, how join) []overlap {
	if how == joinNone {
		return all
	}
	for f := range j.flushing(from, to, s.thread.TID) {
		o := f.overlap(from, to)
		o.dirty, o.how = s.dirty, how
		all = s.keep(all, o)
	}
	return all
}

// keep leaves out what may be a coincidence. What a stack tells is none, but for
// what takes no time.
func (s *stretch) keep(all []overlap, o overlap) []overlap {
	least := s.least()
	if s.cpu != nil && o.how == joinExact {
		least = minHeld
	}
	if o.end-o.start < least {
		return all
	}
	return append(all, o)
}

// running are the commits between from and to, in order.
func (j *journal) running(from, to event.Time) func(func(*commit) bool) {
	return func(yield func(*commit) bool) {
		for i := range j.commits {
			c := j.commits[(j.next+i)%commitsKept]
			if c != nil && from < to && c.overlaps(from, to) && !yield(c) {
				return
			}
		}
	}
}

// flushing are the fast commits of other threads between from and to. That an
// XFS log force of another thread holds one up nothing says.
func (j *journal) flushing(from, to event.Time, tid int32) func(func(*flush) bool) {
	return func(yield func(*flush) bool) {
		for f := range j.flushes.latest {
			if f.name == spans.NameFastCommit && f.thread.TID != tid && f.start < to && f.end > from && from < to && !yield(f) {
				return
			}
		}
	}
}

// overlap is the part of from..to during which the commit ran.
func (c *commit) overlap(from, to event.Time) overlap {
	o := overlap{start: max(from, c.start), end: to, cost: costCommit, device: c.device, transaction: c.transaction}
	if c.ev != nil { // else it has no trace, and may never get one
		o.commit, o.end = c.id, min(to, c.ev.End)
		o.phase = c.phase(o.start, o.end)
	}
	return o
}

// overlap is likewise inferred, until more is known.
func (f *flush) overlap(from, to event.Time) overlap {
	return overlap{start: max(from, f.start), end: min(to, f.end), how: joinInferred, cost: f.cost(), flush: f, device: f.device}
}

// offerFlushes offers the traces that overlaps link to.
func (a *Assembler) offerFlushes(all []overlap) {
	for i := range all {
		if f := all[i].flush; f != nil {
			a.offerFlush(f)
		}
	}
}

// handles adds the waits for the journal inside d, or elsewhere in the call.
func (b *builder) handles(parent int, in *inner, blocks []overlap, d *event.DirtyInode) {
	for _, h := range in.waits() {
		if !lies(h.Start, h.End, d) {
			continue
		}
		name := spans.NameHandleWait
		if h.Grant {
			name = spans.NameLogGrant
		}
		attrs := []attribute.KeyValue{attribute.String(spans.KeyDevice, device(h.Device))}
		if h.Transaction != 0 {
			attrs = append(attrs, attribute.Int64(spans.KeyTransaction, int64(h.Transaction)))
		}
		i := b.span(parent, name, b.t.ID.Child(name, uint64(h.TID), uint64(h.Start)), h.Start, h.End, attrs...)
		b.overlaps(i, blocks, d, h)
	}
}

// lies says whether something is inside an ext4_dirty_inode, if one is given.
func lies(from, to event.Time, d *event.DirtyInode) bool {
	return d == nil || from >= d.Start && to <= d.End
}

// overlaps adds jbd2.commit, ext4.fast_commit or xfs.log_force for each overlap
// inside d and h, or elsewhere in the call.
func (b *builder) overlaps(parent int, blocks []overlap, d *event.DirtyInode, h *event.JournalWait) {
	for i := range blocks {
		o := &blocks[i]
		switch {
		case o.dirty != d || o.handle != h || o.grant:
		case o.flush != nil:
			f := o.flush
			attrs := append(slices.Clip(f.attributes), attribute.String(spans.KeyJoin, o.how.String()))
			k := b.span(parent, f.name, f.spanID(b.t.ID, o.start), o.start, o.end, attrs...)
			b.link(k, f.id, rootID(f.id, f.name), f.linkOf())
		default:
			b.commit(parent, o)
		}
	}
}

func (b *builder) commit(parent int, o *overlap) {
	attrs := []attribute.KeyValue{
		attribute.String(spans.KeyDevice, device(o.device)),
		attribute.Int64(spans.KeyTransaction, int64(o.transaction)),
		attribute.String(spans.KeyJoin, o.how.String()),
	}
	if o.phase != "" {
		attrs = append(attrs, attribute.String(spans.KeyPhase, o.phase))
	}
	i := b.span(parent, spans.NameJBD2Commit,
		b.t.ID.Child(spans.NameJBD2Commit, uint64(o.transaction), uint64(o.start)), o.start, o.end, attrs...)
	b.link(i, o.commit, rootID(o.commit, spans.NameJournalCommit), spans.LinkCommit)
}
