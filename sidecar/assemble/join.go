package assemble

import (
	"cmp"
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

// batchKey is what the wire and the segment have in common of one batch,
// unless the broker rewrote it.
type batchKey struct {
	event.TopicPartition
	crc   uint32
	bytes int32
}

// offsetKey is where a batch was put.
type offsetKey struct {
	event.TopicPartition
	base int64
}

// candidate is a partition of a request that waits for its write.
type candidate struct {
	r    *request
	part int
}

// write is a write to a segment with what happened inside it.
type write struct {
	ev     *event.Write
	dirty  []*event.DirtyInode
	before *gap // what the thread did before and after it
	after  *gap
	req    *request // nil: none, or not yet
	part   int

	resolved bool
	blocks   []overlap // by commits: set when resolved
	offered  bool      // as a trace of its own: it is no request's
}

// expect makes a partition of a request a candidate for coming writes.
func (b *broker) expect(r *request, i int) {
	k := r.batchKey(i)
	b.byBatch[k] = append(b.byBatch[k], candidate{r, i})
}

// unexpect takes it back.
func (b *broker) unexpect(r *request, i int) {
	k := r.batchKey(i)
	rest := slices.DeleteFunc(b.byBatch[k], func(c candidate) bool { return c.r == r && c.part == i })
	if len(rest) == 0 {
		delete(b.byBatch, k)
		return
	}
	b.byBatch[k] = rest
}

func (r *request) batchKey(i int) batchKey {
	p := &r.ev.Partitions[i]
	return batchKey{p.TopicPartition, p.CRC, p.Bytes}
}

func (a *Assembler) write(e *event.Write) {
	a.stats.Writes++
	if a.o.Rows.Writes {
		a.printWrite(e)
	}
	b := a.broker(e.PID)
	w := &write{ev: e}
	a.enterThread(b, w)
	if old := b.recent.add(w); old != nil {
		b.forgetWrite(old)
	}
	if !e.Batch {
		return
	}
	if e.Bytes > 0 { // else nothing stands there
		b.byOffset[offsetKey{e.TopicPartition, e.BaseOffset}] = w
		b.appended(e)
	}
	if c, only := b.candidate(w); only {
		a.tentative(c, w)
	}
}

// appended notes how far a log has come.
func (b *broker) appended(e *event.Write) {
	if len(b.logEnds) >= maxLogs {
		clear(b.logEnds)
	}
	b.logEnds[e.TopicPartition] = e.BaseOffset + 1 // at least
}

// candidate is the one partition that waits for this very batch. Where there
// are several the response decides, with acks=0 the order.
func (b *broker) candidate(w *write) (c candidate, only bool) {
	n := 0
	for _, x := range b.byBatch[batchKey{w.ev.TopicPartition, w.ev.CRC, w.ev.BatchBytes}] {
		if x.r.parts[x.part].write == nil && w.ev.Start >= x.r.ev.Arrival-arrivalSlack {
			c, n = x, n+1
		}
	}
	return c, n == 1
}

// tentative joins by CRC and length. Without acks that is all there will be.
func (a *Assembler) tentative(c candidate, w *write) {
	how := joinTentative
	if c.r.ev.Acks == 0 {
		how = joinExact
	}
	a.join(c.r, c.part, w, how)
	if c.r.ev.Acks == 0 {
		c.r.b.unexpect(c.r, c.part)
		a.wrote(c.r)
	}
}

func (a *Assembler) join(r *request, i int, w *write, how join) {
	if old := w.req; old != nil && (old != r || w.part != i) {
		old.parts[w.part].write, old.parts[w.part].join = nil, joinNone
	}
	a.unjoin(&r.parts[i])
	w.req, w.part = r, i
	r.parts[i].write, r.parts[i].join = w, how
}

func (a *Assembler) unjoin(p *part) {
	if p.write != nil {
		p.write.req, p.write, p.join = nil, nil, joinNone
	}
}

// answer takes the broker's word on one partition: the base offset decides,
// for the written header carries it too.
func (a *Assembler) answer(r *request, i int, e *event.ResponsePartition) {
	p := &r.parts[i]
	p.answered, p.err, p.base = true, e.Error, e.BaseOffset
	r.b.unexpect(r, i)
	if p.base < 0 {
		if p.err != 0 && p.join == joinTentative {
			p.join = joinInferred // the same bytes, but nothing confirms it
		}
		return
	}
	if p.write != nil && p.write.ev.BaseOffset != p.base {
		a.unjoin(p)
	}
	a.place(r, i)
}

// place joins a partition with the write at the base offset of its response.
func (a *Assembler) place(r *request, i int) {
	p := &r.parts[i]
	w := r.b.byOffset[offsetKey{r.ev.Partitions[i].TopicPartition, p.base}]
	switch {
	case w == nil:
		p.duplicate = p.base < p.logEnd
	case w.ev.Start < r.ev.Arrival-arrivalSlack:
		r.duplicateOf(i, w)
	case w.req == nil || w.req == r || w.req.parts[w.part].join == joinTentative:
		a.join(r, i, w, joinExact)
	}
}

// duplicateOf: the batch stood in the log before the request came (an
// idempotent producer's retry); the broker answers with the old base offset.
func (r *request) duplicateOf(i int, w *write) {
	p := &r.parts[i]
	p.duplicate = true
	if w.req != nil {
		p.firstID = w.req.traceID()
		p.firstSpan = w.spanID(p.firstID)
	}
}

// settleJoins looks again where a write seemed to end after the response, for
// the two are stamped by different clocks. Partitions without a base offset are
// given the oldest write of the same bytes that nobody claimed: inferred,
// unless it was the only one that could be.
func (a *Assembler) settleJoins(r *request) {
	for i := range r.parts {
		p := &r.parts[i]
		if !p.answered {
			r.b.unexpect(r, i)
		}
		if p.join == joinTentative { // no response: the only candidate it is
			p.join = joinExact
		}
		switch {
		case p.write != nil || p.duplicate || p.err != 0:
		case p.base >= 0:
			a.place(r, i)
		default:
			if w := r.b.unclaimed(r, i); w != nil {
				a.join(r, i, w, joinInferred)
			}
		}
		a.countJoin(r, p)
	}
}

func (a *Assembler) countJoin(r *request, p *part) {
	switch {
	case p.join == joinExact:
		a.stats.Exact++
	case p.join == joinInferred:
		a.stats.Inferred++
	case p.duplicate:
		a.stats.Duplicates++
	case p.err != 0:
		a.stats.Refused++
	case r.resp == nil:
		a.stats.Unanswered++
	default:
		a.stats.Unjoined++
	}
}

func (b *broker) unclaimed(r *request, i int) *write {
	k := r.batchKey(i)
	var first *write
	b.recent.each(func(w *write) {
		if first == nil && w.req == nil && w.ev.Start >= r.ev.Arrival-arrivalSlack &&
			(batchKey{w.ev.TopicPartition, w.ev.CRC, w.ev.BatchBytes}) == k {
			first = w
		}
	})
	return first
}

// forgetWrite also cuts the chain of gaps, which would otherwise keep every
// earlier write alive.
func (b *broker) forgetWrite(w *write) {
	w.before, w.after = nil, nil
	k := offsetKey{w.ev.TopicPartition, w.ev.BaseOffset}
	if b.byOffset[k] == w {
		delete(b.byOffset, k)
	}
}

// writeRing keeps the last maxWrites writes.
type writeRing struct {
	buf  []*write
	next int
}

// add puts a write in and returns the one that falls out, if any.
func (q *writeRing) add(w *write) (old *write) {
	if len(q.buf) < maxWrites {
		q.buf = append(q.buf, w)
		return nil
	}
	old, q.buf[q.next] = q.buf[q.next], w
	q.next = (q.next + 1) % maxWrites
	return old
}

// each visits the oldest first.
func (q *writeRing) each(f func(*write)) {
	for i := range q.buf {
		f(q.buf[(q.next+i)%len(q.buf)])
	}
}

func sortRequests(all []*request) {
	slices.SortStableFunc(all, func(x, y *request) int {
		return cmp.Or(cmp.Compare(x.ev.LastByte, y.ev.LastByte), cmp.Compare(x.ev.Conn, y.ev.Conn),
			cmp.Compare(x.ev.CorrelationID, y.ev.CorrelationID))
	})
}
