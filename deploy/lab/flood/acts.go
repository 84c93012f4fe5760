package flood

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/bpf"
)

// do is what happens to a slow request, or to the journal.
type do uint8

const (
	doArrive do = iota
	doEnter
	doEntered
	doWrite
	doExit
	doWake
	doFetch
	doAnswer
	doLocking
	doFlushing
	doLogging
	doEnd
)

// act is something that happens at an instant.
type act struct {
	at    int64
	order uint64
	do    do
	r     *slow
}

// Less orders acts by time, then as they were planned.
func (a act) Less(b act) bool { return a.at < b.at || a.at == b.at && a.order < b.order }

func (g *Generator) at(at int64, what do, r *slow) {
	g.order++
	g.acts.Push(act{at, g.order, what, r})
}

func (g *Generator) act(a act) {
	switch r := a.r; a.do {
	case doArrive:
		g.packet(a.at, r.shape.send(r.conn, r.correlation, r.crc))
		g.truth.request(r.part.topic.name, r.shape)
	case doEnter:
		g.monitor(g.enter, r, a.at)
	case doEntered:
		g.monitor(g.entered, r, a.at)
	case doWrite:
		g.wrote(r, a.at)
	case doExit:
		g.monitor(g.exit, r, a.at)
		g.handOver(r, a.at)
	case doWake:
		g.wake(r.tid, a.at)
		give(&g.threads, r.tid)
	case doFetch:
		g.caughtUp(r.behind, a.at)
	case doAnswer:
		g.answered(r, a.at)
	case doLocking:
		g.phase(a.at, bpf.PhaseLocking)
	case doFlushing:
		g.phase(a.at, bpf.PhaseFlushing)
	case doLogging:
		g.phase(a.at, bpf.PhaseLogging)
	case doEnd:
		g.committed(a.at)
	}
}

// wrote ends a slow request's write.
func (g *Generator) wrote(r *slow, at int64) {
	if r.until != 0 {
		g.slept(r)
		g.dirtied(r.part, r.tid, r.from+5*us, r.until)
	}
	raw, base := r.part.written(r.shape, r.tid, r.from, at, r.crc)
	r.base = base
	g.probe(at, raw)
	switch {
	case len(r.waiters) > 0:
		g.at(at+3*us, doExit, r)
	case r.locks:
		r.part.held = false
	}
	g.at(at+6*us, doWake, r)
	if r.behind == nil {
		g.at(at+30*us, doAnswer, r)
	}
}

// slept is what the scheduler saw of a write inside a commit.
func (g *Generator) slept(r *slow) {
	b := g.offCPU
	stamp(b, r.tid, r.until-us)
	begun(b, r.from+10*us)
	le.PutUint64(b[32:], uint64(r.until-4*us))
	g.probe(r.until-us, b)
}

// handOver hands a lock to the first one that waits, with the others behind it.
func (g *Generator) handOver(holder *slow, at int64) {
	next := holder.waiters[0]
	next.waiters, holder.waiters = holder.waiters[1:], nil
	next.from = at + 6*us
	g.at(at+4*us, doEntered, next)
	g.at(at+20*us, doWrite, next)
}

// inOrder sorts those who wait by when they came.
func (g *Generator) inOrder(all []*slow) {
	slices.SortFunc(all, func(a, b *slow) int { return cmp.Compare(a.arrival, b.arrival) })
}

func (g *Generator) monitor(b []byte, r *slow, at int64) {
	stamp(b, r.tid, at)
	le.PutUint64(b[24:], 0x7f00_0000_0000+r.part.inode<<7)
	le.PutUint64(b[32:], uint64(r.tid-handlerTID+40))
	g.probe(at, b)
}

// caughtUp is the follower's fetch that all of a partition's requests wait for.
func (g *Generator) caughtUp(b *behind, at int64) {
	g.fetches(b.part, b.part.next, at)
	for i, r := range b.all {
		g.at(at+(20+int64(i))*us, doAnswer, r)
	}
	b.part.held = false
}

func (g *Generator) answered(r *slow, at int64) {
	g.packet(at, r.part.answer.give(r.conn, r.correlation, r.base))
	give(&g.spare, r.conn)
	g.truth.slow(r.why, r.part.traceID(r.base), time.Duration(at-r.arrival))
}

// committed ends the journal's commit.
func (g *Generator) committed(at int64) {
	b := g.commitStats
	stamp(b, journalTID, at-us)
	le.PutUint32(b[24:], g.tx)
	le.PutUint32(b[28:], 2000) // handles
	le.PutUint32(b[32:], 300)  // blocks
	le.PutUint32(b[36:], 310)  // logged
	g.probe(at-us, b)
	g.phase(at, bpf.PhaseEnd)
}
