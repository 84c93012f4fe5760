package assemble

import (
	"cmp"
	"slices"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

const (
	// ioKept is how many block I/Os of a device are remembered. They are looked
	// for when what they may have held up ends, which is when they have ended.
	ioKept = 1024
	// ioShown is how many a commit or a call shows, ioLooked at how many of the
	// slowest a call looks for that: not all lie in a wait.
	ioShown  = 8
	ioLooked = 32
	// ioOfWait is how many of a call's one wait has, ioOfCommit how many a commit
	// has there: its own trace, to which it links, has them all.
	ioOfWait   = 3
	ioOfCommit = 1
)

func (a *Assembler) blockIO(e *event.BlockIO) {
	if e.End > e.Start {
		a.journal(e.Device).io.add(e, ioKept)
	}
}

// slowest are those that were under way between from and to, the longest within
// that; what a thread issued itself goes first. They must have ended: what a
// thread waits for has, when it goes on.
func (j *journal) slowest(tid int32, from, to event.Time, n int) []*event.BlockIO {
	var all []*event.BlockIO
	for e := range j.io.latest {
		if e.End <= from { // they came in the order of their ends
			break
		}
		if e.Start < to {
			all = append(all, e)
		}
	}
	within := func(e *event.BlockIO) event.Time { return min(e.End, to) - max(e.Start, from) }
	slices.SortStableFunc(all, func(x, y *event.BlockIO) int { return cmp.Compare(within(y), within(x)) })
	all = slices.Clone(all[:min(n, len(all))]) // all may be many
	others := func(e *event.BlockIO) int {
		if issued(e, tid) {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(all, func(x, y *event.BlockIO) int { return cmp.Compare(others(x), others(y)) })
	return all
}

// issued says whether a thread issued the I/O itself; 0: it is not known which.
func issued(e *event.BlockIO, tid int32) bool { return tid != 0 && e.TID == tid }

// ioIn is the slowest I/O during a call of a thread that took long enough to
// have waited for some.
func (a *Assembler) ioIn(d event.Device, tid int32, from, to event.Time) []*event.BlockIO {
	if to-from < minBlocked {
		return nil
	}
	j := a.devices[d]
	if j == nil {
		return nil
	}
	return j.slowest(tid, from, to, ioLooked)
}

// blockIO adds block.io below the spans of a call of a thread in which it
// waited, from index first on: each where most of it is. What the thread itself
// issued it had to do with anyhow; of others it is only known that the disk had
// them at that time.
func (b *builder) blockIO(call, first int, tid int32, all []*event.BlockIO) {
	end := len(b.t.Spans)
	has := map[int]int{} // of a span: how many are below it
	for _, e := range all {
		if len(b.t.Spans)-end == ioShown {
			return
		}
		mine := issued(e, tid)
		in := b.waitAround(first, end, e)
		if in < 0 && mine {
			in = call
		}
		if in < 0 || has[in] == b.mostIO(in) {
			continue
		}
		has[in]++
		b.io(in, e, mine)
	}
}

// mostIO is how many I/Os of a call a span of it has.
func (b *builder) mostIO(in int) int {
	if b.t.Spans[in].Name == spans.NameJBD2Commit {
		return ioOfCommit
	}
	return ioOfWait
}

// waitAround is the wait, from index first to end, in which most of an I/O lies;
// of a wait in a wait the inner one, if that has at least half of it. -1: none.
func (b *builder) waitAround(first, end int, e *event.BlockIO) int {
	best, most := -1, int64(0)
	for i := first; i < end; i++ {
		s := &b.t.Spans[i]
		if !waitsForIO(s) {
			continue
		}
		if n := min(int64(e.End)+b.unix, s.End) - max(int64(e.Start)+b.unix, s.Start); n > most || n > 0 && 2*n >= most && b.below(i, best) {
			best, most = i, max(most, n)
		}
	}
	return best
}

// below says whether a span lies anywhere below another one, which came first.
func (b *builder) below(i, other int) bool {
	for other >= 0 && i > other {
		if b.t.Spans[i].Parent == b.t.Spans[other].ID {
			return true
		}
		parent := slices.IndexFunc(b.t.Spans[:i], func(s spans.Span) bool { return s.ID == b.t.Spans[i].Parent })
		i = parent
	}
	return false
}

// waitsForIO says whether a span of a call is one in which its thread waited for
// a disk, or for what waits for one.
func waitsForIO(s *spans.Span) bool {
	switch s.Name {
	case spans.NameHandleWait, spans.NameLogGrant, spans.NameJBD2Commit, spans.NameFastCommit, spans.NameLogForce, spans.NameFsync:
		return true
	case spans.NameKernelWait:
		why := reason(s)
		return why == stack.Unknown || stack.IO(why) || stack.Journal(why) || stack.XFSLog(why)
	}
	return false
}

func reason(s *spans.Span) string {
	for _, kv := range s.Attributes {
		if kv.Key == spans.KeyReason {
			return kv.Value.AsString()
		}
	}
	return ""
}

// io adds one block.io.
func (b *builder) io(parent int, e *event.BlockIO, issuer bool) {
	how := joinInferred
	if issuer {
		how = joinExact
	}
	attrs := append(processAttributes(e.Thread),
		attribute.String(spans.KeyDevice, device(e.Device)),
		attribute.String(spans.KeyDisk, device(e.Disk)),
		attribute.Int64(spans.KeySector, int64(e.Sector)),
		attribute.Int64(spans.KeyIOSize, int64(e.Bytes)),
		attribute.String(spans.KeyOp, e.Op),
		attribute.String(spans.KeyJoin, how.String()))
	i := b.span(parent, spans.NameBlockIO,
		b.t.ID.Child(spans.NameBlockIO, uint64(e.Disk), e.Sector, uint64(e.Start)), e.Start, e.End, attrs...)
	if e.Error != 0 {
		b.t.Spans[i].Error = "I/O error " + itoa(e.Error)
	}
}
