package flood

import (
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/spans"
)

// slow is a request that something holds up.
type slow struct {
	why         Key
	conn        *conn
	part        *partition
	shape       *shape
	tid         int32
	correlation int32
	crc         uint32
	arrival     int64
	from        int64 // its write's start
	until       int64 // of a write inside a commit, when that let it go
	base        int64
	locks       bool    // it holds its partition's lock when it writes
	waiters     []*slow // for that, in order
	behind      *behind // what it waits for after its write
}

// behind are requests for one partition that wait for the follower to have it.
type behind struct {
	part *partition
	all  []*slow
}

// maxBehind bounds them, for a partition and a stall.
const maxBehind = 64

// Lengths of a stall. Who waits for a commit arrives within spreadOut of its
// start.
const (
	stallLeast = int64(100 * time.Millisecond)
	stallMore  = int64(60 * time.Millisecond)
	spreadOut  = int64(4 * time.Millisecond)
)

// stall begins one: a journal commit takes long, and what else there is of the
// script happens meanwhile.
func (g *Generator) stall(at int64) {
	end := at + stallLeast + g.r.Int64N(stallMore)
	s := &g.script.Slow
	if n := perStall(s.Commit); n > 0 {
		g.commit(at, end)
		g.lock(g.writers(n, at, end), perStall(s.Lock), at)
	}
	for range perStall(s.Queue) {
		p := g.plain[g.r.IntN(len(g.plain))].partitions[0]
		arrival := at + g.r.Int64N(50*1000*us)
		r := g.slow(p, arrival, spans.CauseQueue, spans.CauseQueue)
		r.from = arrival + 80*1000*us + g.r.Int64N(50*1000*us)
		g.at(r.from+15*us, doWrite, r)
	}
	g.late(perStall(s.Replication), at)
}

// slow lets a request arrive.
func (g *Generator) slow(p *partition, arrival int64, cause, root spans.Cause) *slow {
	r := &slow{why: Key{p.topic.name, cause, root}, conn: take(&g.spare), tid: take(&g.threads), part: p,
		shape: &p.shapes[ofEight[g.r.IntN(len(ofEight))]], crc: g.r.Uint32(), arrival: arrival}
	r.correlation = r.conn.correlation
	r.conn.correlation++
	g.at(arrival, doArrive, r)
	return r
}

// writers are requests whose writes a commit holds up, each with the lock of
// another partition.
func (g *Generator) writers(n int, at, end int64) (all []*slow) {
	for _, i := range g.r.Perm(len(g.plain))[:n] {
		p := g.plain[i].partitions[1]
		p.held = true
		r := g.slow(p, at+100*us+g.r.Int64N(spreadOut), spans.CauseCommit, spans.CauseCommit)
		r.from = r.arrival + 40*us
		r.until, r.locks = end+5*us+g.r.Int64N(200*us), true
		g.at(r.until+4*us, doWrite, r)
		all = append(all, r)
	}
	return all
}

// lock has n requests wait for the locks that writers hold: most of them for the
// first one's, so that some topics have much more of them than others.
func (g *Generator) lock(writers []*slow, n int, at int64) {
	for range n {
		k := g.r.IntN(len(writers))
		k = g.r.IntN(k + 1)
		w := writers[k]
		r := g.slow(w.part, max(w.from, at+spreadOut)+g.r.Int64N(2*spreadOut), spans.CauseMonitor, spans.CauseCommit)
		r.locks = true
		g.at(r.arrival+30*us, doEnter, r)
		w.waiters = append(w.waiters, r)
	}
	for _, w := range writers {
		g.inOrder(w.waiters)
	}
}

// late has n requests wait for the follower, each of some partitions as many.
func (g *Generator) late(n int, at int64) {
	if n == 0 {
		return
	}
	parts := min(len(g.replicated), max(1, n/4), n)
	all := make([]behind, parts)
	for i, k := range g.r.Perm(len(g.replicated))[:parts] {
		all[i].part = g.replicated[k].partitions[0]
		all[i].part.held = true
	}
	for i := range n {
		b := &all[i%parts]
		r := g.slow(b.part, at+g.r.Int64N(2*spreadOut), spans.CauseReplication, spans.CauseReplication)
		r.behind, r.from = b, r.arrival+60*us
		b.all = append(b.all, r)
		g.at(r.from+15*us, doWrite, r)
	}
	for i := range all {
		g.at(at+stallLeast+g.r.Int64N(stallMore), doFetch, all[i].all[0])
	}
}

// commit is one of the journal, with its phases.
func (g *Generator) commit(at, end int64) {
	g.tx++
	g.phase(at, bpf.PhaseStart)
	b := g.commitOrigin
	stamp(b, journalTID, at+us)
	le.PutUint32(b[24:], g.tx)
	g.probe(at+us, b)
	g.at(at+50*us, doLocking, nil)
	g.at(at+1000*us, doFlushing, nil)
	g.at(at+2000*us, doLogging, nil)
	g.at(end, doEnd, nil)
}

func (g *Generator) phase(at int64, p bpf.Phase) {
	b := g.journal
	stamp(b, journalTID, at)
	le.PutUint32(b[24:], g.tx)
	le.PutUint32(b[28:], uint32(p))
	g.probe(at, b)
}
