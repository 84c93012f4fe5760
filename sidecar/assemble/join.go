package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// batchKey is what the wire and the segment have in common of one batch,
// unless the broker rewrote it.
type batchKey struct {
	log   *log
	crc   uint32
	bytes int32
}

// write is a write to a segment with what happened inside it.
type write struct {
	ev     *event.Write
	log    *log
	dirty  []*event.DirtyInode
	inner  *inner // what else happened inside it
	cpu    *cpu   // nil: not known
	before *gap   // what the thread did before and after it
	after  *gap
	part   *part // of the request that it was for; nil: none, or not yet

	resolved bool
	blocks   []overlap // by commits: set when resolved
	offered  bool      // as a trace of its own: it is no request's
	blocked  *blocked  // nil: nobody waited for it
	awaited  bool      // somebody waited for who wrote it, if only for a moment
	linked   bool      // a wait will tell of it
}

// request is the one that a write was for, nil where none is known.
func (w *write) request() *request {
	if w.part == nil {
		return nil
	}
	return w.part.r
}

func (a *Assembler) write(e *event.Write) {
	a.stats.Writes++
	if a.o.Rows.Writes {
		a.printWrite(e)
	}
	b := a.broker(e.PID)
	if a.o.Measures != nil {
		a.o.Measures.MeasureWrite(b.id.Node, time.Duration(e.End-e.Start))
	}
	w := &write{ev: e, log: b.log(e.TopicPartition)}
	a.enterThread(b, w)
	if old := b.recent.add(w); old != nil {
		b.forgetWrite(old)
	}
	if !e.Batch {
		return
	}
	if e.Bytes > 0 { // else nothing stands there
		w.log.append(w)
	}
	if p := b.candidate(w); p != nil {
		a.tentative(p, w)
	}
	a.mayBeRewritten(w)
	a.mayBeBare(b, w)
}

// candidate is the one part that waits for this very batch. Where there are
// several the response decides; where none of them will have one, the order.
func (b *broker) candidate(w *write) *part {
	var first *part
	several, unacked, seen := false, true, 0
	for p := b.byBatch[batchKey{w.log, w.ev.CRC, w.ev.BatchBytes}].first; p != nil && seen < maxRivals; p = p.same {
		seen++
		if p.write != nil || !p.precedes(w.ev) {
			continue
		}
		unacked = unacked && p.r.ev.Acks == 0
		if first == nil {
			first = p
			continue
		}
		several, first.rival, p.rival = true, true, true
	}
	if several && !unacked {
		return nil
	}
	return first
}

// tentative joins by CRC and length. Without acks that is all there will be.
func (a *Assembler) tentative(p *part, w *write) {
	if p.r.ev.Acks != 0 {
		a.join(p, w, joinTentative)
		return
	}
	a.join(p, w, p.byBytes())
	p.r.b.unexpect(p)
	a.wrote(p.r)
}

// lookBack finds the write of a part that was seen before its request: behind a
// hole in its stream, packets wait; a topic's name may be learned late.
func (a *Assembler) lookBack(p *part) {
	if !p.waiting {
		return
	}
	if w := p.unclaimed(p.isItsBatch); w != nil {
		p.rival = p.rival || p.same != nil || p.r.b.byBatch[p.key()].first != p
		if p.rival && p.r.ev.Acks != 0 {
			return // the response decides
		}
		a.tentative(p, w)
	}
}

// byBytes is how sure a join by nothing but CRC and length is.
func (p *part) byBytes() join {
	if p.rival {
		return joinInferred
	}
	return joinExact
}

func (a *Assembler) join(p *part, w *write, how join) {
	if old := w.part; old != nil && old != p {
		old.write, old.join = nil, joinNone
	}
	p.unjoin()
	w.part = p
	p.write, p.join = w, how
}

func (p *part) unjoin() {
	if p.write != nil {
		p.write.part, p.write, p.join = nil, nil, joinNone
	}
}

// settleJoins looks again where a write seemed to end after the response, for
// the two are stamped by different clocks. Partitions without a base offset are
// given the oldest write of the same bytes that nobody claimed: inferred.
func (a *Assembler) settleJoins(r *request) {
	for i := range r.parts {
		p := &r.parts[i]
		r.b.unexpect(p)
		if p.join == joinTentative { // no response: the only candidate it is
			p.join = p.byBytes()
		}
		switch {
		case p.write != nil || p.duplicate || p.err != 0:
		case p.base >= 0:
			a.place(p)
		default:
			if w := p.unclaimed(p.isItsBatch); w != nil {
				a.join(p, w, joinInferred)
			}
		}
		if !r.bare {
			a.countJoin(p)
		}
	}
}

func (a *Assembler) countJoin(p *part) {
	switch {
	case p.join == joinExact:
		a.stats.Exact++
	case p.join == joinInferred:
		a.stats.Inferred++
	case p.duplicate:
		a.stats.Duplicates++
	case p.err != 0:
		a.stats.Refused++
	case p.r.resp == nil:
		a.stats.Unanswered++
	default:
		a.stats.Unjoined++
	}
}

// earliest is when a write of the part can have begun.
func (p *part) earliest() event.Time { return p.r.ev.Arrival - arrivalSlack }

// precedes says that a write began after the part's request came.
func (p *part) precedes(e *event.Write) bool { return e.Start >= p.earliest() }

// unclaimed is the oldest write that may be the part's and is nobody else's.
func (p *part) unclaimed(fits func(*event.Write) bool) *write {
	return p.log.first(p.earliest(), fits)
}

// isItsBatch says that a write holds the part's bytes.
func (p *part) isItsBatch(e *event.Write) bool {
	q := p.asked()
	return e.Batch && e.CRC == q.CRC && e.BatchBytes == q.Bytes
}

// forgetWrite also cuts the chain of gaps, which would otherwise keep every
// earlier write alive.
func (b *broker) forgetWrite(w *write) {
	if r := w.request(); r == nil || r.finished {
		w.before, w.after = nil, nil
	}
	w.log.forget(w)
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
