package assemble

import (
	"cmp"
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
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
	dirty    *event.DirtyInode  // inside it; nil: elsewhere
	handle   *event.JournalWait // inside that wait; nil: elsewhere
	sync     bool               // of an fsync
}

// least is the shortest overlap that is taken for more than a coincidence.
func (s *stretch) least() event.Time {
	if s.handle == nil && (s.dirty != nil || s.sync) {
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
			all = append(all, s.mark(c.flush.overlap(c.start, c.end), joinExact))
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
	s.handle = h
	if h.Grant {
		return append(all, s.mark(overlap{start: h.Start, end: h.End, cost: costLog, grant: true, device: h.Device}, joinExact))
	}
	from := h.Start
	for c := range j.running(h.Start, h.End) {
		if h.Transaction == c.transaction+1 && c.ev != nil && c.ev.Flushing > from {
			o := s.mark(c.overlap(from, min(c.ev.Flushing, h.End)), joinExact)
			all, from = append(all, o), o.end
		}
	}
	return j.rest(all, s, from, h.End)
}

// rest is what ran while the thread may have waited for it. Where it is known why
// it slept, that decides; where not, inside an ext4_dirty_inode there is no other
// commit to wait for.
func (j *journal) rest(all []overlap, s stretch, from, to event.Time) []overlap {
	blind := joinInferred
	if s.dirty != nil && s.handle == nil {
		blind = joinExact
	}
	if s.cpu == nil {
		return j.flushed(j.committed(all, s, from, to, blind), s, from, to, nil)
	}
	for i := range s.cpu.waits {
		w := &s.cpu.waits[i]
		start, end := max(from, w.start), min(to, w.end-w.runQueue) // then it only lacked a CPU
		how := w.forCommit()
		if w.reason == stack.Unknown {
			how = blind
		}
		all = j.flushed(j.committed(all, s, start, end, how), s, start, end, w)
	}
	return all
}

// committed are the commits that ran: in an fsync that which it had begun is
// exact.
func (j *journal) committed(all []overlap, s stretch, from, to event.Time, how join) []overlap {
	if how == joinNone {
		return all
	}
	for c := range j.running(from, to) {
		sure := how
		if s.sync && s.handle == nil && c.ev != nil && c.ev.By.TID == s.thread.TID && c.ev.By.PID == s.thread.PID {
			sure = joinExact
		}
		all = s.keep(all, s.mark(c.overlap(from, to), sure))
	}
	return all
}

// flushed are the fast commits of others, and where it is known why the thread
// slept, their log forces.
func (j *journal) flushed(all []overlap, s stretch, from, to event.Time, w *kernelWait) []overlap {
	for f := range j.flushing(from, to, s.thread.TID) {
		how := joinNone
		switch {
		case w != nil:
			how = w.forFlush(f)
		case f.name == spans.NameFastCommit:
			how = joinInferred
		}
		if how != joinNone {
			o := f.overlap(from, to)
			o.start = max(o.start, j.begun(f))
			all = s.keep(all, s.mark(o, how))
		}
	}
	return all
}

// begun is when a flush had no commit to wait for any more: a fast commit lets
// one that runs end first (fs/jbd2/journal.c, jbd2_fc_begin_commit).
func (j *journal) begun(f *flush) event.Time {
	at := f.start
	if f.name == spans.NameFastCommit {
		for c := range j.running(f.start, f.end) {
			if c.ev != nil && c.start <= f.start {
				at = max(at, c.ev.End)
			}
		}
	}
	return at
}

// mark says where an overlap lies, and how sure it is.
func (s *stretch) mark(o overlap, how join) overlap {
	o.dirty, o.handle, o.how = s.dirty, s.handle, how
	return o
}

// keep leaves out what may be a coincidence. What a stack tells is none, but for
// what takes no time.
func (s *stretch) keep(all []overlap, o overlap) []overlap {
	least := s.least()
	switch {
	case s.cpu != nil && o.how == joinExact:
		least = minHeld
	case s.cpu != nil:
		least = minBlocked
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

// flushing are the fast commits and log forces of other threads between from and
// to.
func (j *journal) flushing(from, to event.Time, tid int32) func(func(*flush) bool) {
	return func(yield func(*flush) bool) {
		for f := range j.flushes.latest {
			if f.thread.TID != tid && f.start < to && f.end > from && from < to && !yield(f) {
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

// overlap is likewise of the flush.
func (f *flush) overlap(from, to event.Time) overlap {
	return overlap{start: max(from, f.start), end: min(to, f.end), cost: f.cost(), flush: f, device: f.device}
}

// offerFlushes offers the traces that overlaps link to.
func (a *Assembler) offerFlushes(all []overlap) {
	for i := range all {
		if f := all[i].flush; f != nil {
			a.offerFlush(f)
		}
	}
}
