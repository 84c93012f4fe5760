package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// request is one produce request, from its last byte to its finished trace.
type request struct {
	a     *Assembler
	b     *broker
	ev    *event.Request
	resp  *event.Response // nil: none, or not yet
	parts []part

	end      event.Time // of the response's first byte, or of the last write; 0: open
	lost     string     // why no response will be seen
	closed   event.Time // when there was nothing more to come but what it links to
	finished bool
	id       spans.TraceID // set when finished
	waits    []*wait       // set when finished, by start
	verdict  verdict       // set when finished
}

// part is what is known of one partition of a request.
type part struct {
	write     *write
	join      join
	answered  bool
	err       int16
	base      int64 // -1: none
	logEnd    int64 // an offset that the log had reached when the request came
	duplicate bool
	firstID   spans.TraceID // of the request that wrote the batch first
	firstSpan spans.SpanID
}

// join says how sure a joined write is.
type join uint8

const (
	joinNone      join = iota
	joinTentative      // the only candidate so far; the response will tell
	joinInferred
	joinExact
)

func (j join) String() string {
	switch j {
	case joinExact:
		return "exact"
	case joinInferred:
		return "inferred"
	}
	return ""
}

func (a *Assembler) request(e *event.Request) {
	a.stats.Requests++
	b := a.broker(e.PID)
	if b.inFlight >= maxInFlight {
		a.stats.Dropped["too many in flight"]++
		return
	}
	r := &request{a: a, b: b, ev: e, parts: make([]part, len(e.Partitions))}
	for i := range r.parts {
		r.parts[i].base, r.parts[i].logEnd = -1, b.logEnds[e.Partitions[i].TopicPartition]
		b.expect(r, i)
	}
	b.conns[e.Conn] = append(b.conns[e.Conn], r)
	b.inFlight++
	if !b.swept {
		b.swept = true
		a.after(e.LastByte+sweepEach, (*sweep)(b))
	}
}

func (a *Assembler) response(e *event.Response) {
	r := a.take(e)
	if r == nil {
		a.stats.NoRequest++
		return
	}
	r.resp, r.end = e, e.Start
	for i := range e.Partitions {
		if p := r.find(&e.Partitions[i], i); p >= 0 {
			r.learn(p, e.Partitions[i].Topic)
			a.answer(r, p, &e.Partitions[i])
		}
	}
	r.closed = e.End
	a.after(r.closed+linger, r)
}

// learn fills in a topic whose id was unknown when the request came: a new
// topic's name is on disk only with its first append.
func (r *request) learn(i int, topic string) {
	if q := &r.ev.Partitions[i]; q.Topic == "" && topic != "" {
		r.b.unexpect(r, i)
		q.Topic = topic
		r.b.expect(r, i)
	}
}

// take finds the request of a response by connection and correlation id, and
// takes it out of the table.
func (a *Assembler) take(e *event.Response) *request {
	for _, b := range a.brokers {
		for _, r := range b.conns[e.Conn] {
			if r.ev.CorrelationID == e.CorrelationID && r.ev.Acks != 0 {
				b.forgetInFlight(r)
				return r
			}
		}
	}
	return nil
}

func (b *broker) forgetInFlight(r *request) {
	conn := b.conns[r.ev.Conn]
	for i, x := range conn {
		if x != r {
			continue
		}
		copy(conn[i:], conn[i+1:])
		conn[len(conn)-1] = nil
		conn = conn[:len(conn)-1]
		b.inFlight--
		break
	}
	if len(conn) == 0 {
		delete(b.conns, r.ev.Conn)
		return
	}
	b.conns[r.ev.Conn] = conn
}

// find is the index of the response's partition in the request; a broker
// mostly answers in the order of the request, hence the hint.
func (r *request) find(p *event.ResponsePartition, hint int) int {
	same := func(i int) bool {
		q := &r.ev.Partitions[i]
		if q.Partition != p.Partition {
			return false
		}
		if q.TopicID != ([16]byte{}) || p.TopicID != ([16]byte{}) {
			return q.TopicID == p.TopicID
		}
		return q.Topic == p.Topic
	}
	if hint < len(r.parts) && same(hint) {
		return hint
	}
	for i := range r.parts {
		if same(i) {
			return i
		}
	}
	return -1
}

func (a *Assembler) connLost(e *event.ConnLost) {
	for _, b := range a.brokers {
		for _, r := range append([]*request(nil), b.conns[e.Conn]...) {
			if r.ev.Acks != 0 { // acks=0 needs no connection any more
				a.endWithout(r, "connection "+e.Reason)
			}
		}
	}
}

// lose ends all that a broker has in flight.
func (a *Assembler) lose(b *broker, why string) {
	var all []*request
	for _, conn := range b.conns {
		all = append(all, conn...)
	}
	sortRequests(all)
	for _, r := range all {
		a.endWithout(r, why)
	}
}

// endWithout ends a request to which no response will be seen; what the
// candidates by CRC were is then as good as it gets.
func (a *Assembler) endWithout(r *request, why string) {
	r.lost = why
	r.b.forgetInFlight(r)
	r.closed = a.now
	a.after(r.closed+linger, r)
}

// wrote ends an acks=0 request when the last of its writes is there.
func (a *Assembler) wrote(r *request) {
	for i := range r.parts {
		if r.parts[i].write == nil {
			return
		}
	}
	r.end = r.lastWrite()
	r.b.forgetInFlight(r)
	r.closed = r.end
	a.after(r.closed+linger, r)
}

// due finishes the request, or looks again later while something that it
// links to is unfinished and there is hope.
func (r *request) due(a *Assembler) {
	if r.finished {
		return
	}
	deadline := r.closed + linger + patience
	if a.now < deadline {
		if waits := r.gather(nil); !r.settled(waits) {
			a.after(min(a.now+linger/4, deadline), r)
			return
		}
	}
	r.finish()
}

// settled says whether the ends of all links are known.
func (r *request) settled(waits []*wait) bool {
	for i := range r.parts {
		if w := r.parts[i].write; w != nil && !r.a.quiet(w) {
			return false
		}
	}
	for _, w := range waits {
		if !w.settled(r.a) {
			return false
		}
	}
	return true
}

// finish resolves all links to values, lets go of everything else's objects,
// prints the rows and offers the trace.
func (r *request) finish() {
	a := r.a
	a.settleJoins(r)
	if r.end == 0 && r.ev.Acks == 0 { // no response is due: it ends with its writes
		r.end = r.lastWrite()
	}
	r.waits = r.gather(&a.stats.Ambiguous)
	r.id = r.traceID()
	for _, w := range r.waits {
		w.resolve(a)
		w.owner = r.id
	}
	for i := range r.parts {
		if w := r.parts[i].write; w != nil {
			w.resolve(a)
			w.before, w.after = nil, nil
		}
	}
	r.verdict = r.judge()
	r.finished = true
	a.stats.Finished++
	a.printRequest(r)
	a.o.Output.Trace(r)
}

// lastWrite is where the last of its writes ended; 0 where nothing was written.
func (r *request) lastWrite() (end event.Time) {
	for i := range r.parts {
		if w := r.parts[i].write; w != nil {
			end = max(end, w.ev.End)
		}
	}
	return end
}

// traceID follows the first partition, in the order of the request, that was
// written for it; without one, the arrival names it.
func (r *request) traceID() spans.TraceID {
	if r.finished {
		return r.id
	}
	for i := range r.parts {
		p, q := &r.parts[i], &r.ev.Partitions[i]
		base := p.base
		if base < 0 && p.write != nil && p.write.ev.Bytes > 0 {
			base = p.write.ev.BaseOffset
		}
		if base < 0 || p.duplicate || p.err != 0 && p.write == nil {
			continue
		}
		return spans.PlaceID(r.b.id.Cluster, q.TopicID, q.Topic, q.Partition, base)
	}
	return spans.ArrivalID(r.b.id.Cluster, r.b.id.Node,
		r.ev.Client.String()+r.ev.Broker.String(), r.ev.CorrelationID, r.ev.ArrivalUnix)
}

// TraceID is the id of the finished trace.
func (r *request) TraceID() spans.TraceID { return r.id }

// Latency is first byte in to first byte out. A request whose response never
// came took at least until it was given up: the slowest are among these.
func (r *request) Latency() time.Duration {
	end := r.end
	if end == 0 && r.ev.Acks != 0 {
		end = r.lastSeen()
	}
	return time.Duration(max(0, end-r.ev.Arrival))
}
