package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// request is one produce request, from its last byte to its finished trace;
// or, where requests cannot be read, one append (see append.go).
type request struct {
	a     *Assembler
	b     *broker
	ev    *event.Request
	resp  *event.Response // nil: none, or not yet
	conn  *connection     // nil: it is not in flight any more
	parts []part
	bare  bool // an append of which no request was seen
	asked bool // its record headers are being read
	early bool // while they were, others were told its trace's id

	// Until when the broker kept the connection muted for the request before
	// this one, and for its throttle time. 0: it did not, or that was not seen.
	muted, throttled event.Time
	before           predecessor
	follower         needed // that an acks=all request waited for

	end      event.Time // of the response's first byte, or of the last write; 0: open
	lost     string     // why no response will be seen
	ended    bool       // the connection is over, and
	byBroker bool       // the broker ended it
	closed   event.Time // when there was nothing more to come but what it links to
	finished bool

	lostRecords int64          // of acks=0: never appended
	cut         trimmed        // of its partitions
	number      uint64         // of all in order
	id          spans.TraceID  // its own: zero until asked for, when finished
	taken       taken          // set when finished
	waits       []*wait        // likewise, by start
	fsyncs      []*fsync       // likewise
	pauses      []*event.Pause // likewise: the longest
	blocked     *blocked       // likewise: what it cost others; nil: nothing
	unwatched   bool           // monitors were not watched all the time
	verdict     verdict        // set when finished, if anybody is told of it
}

// part is what is known of one partition of a request.
type part struct {
	r         *request
	log       *log
	same      *part // the next that waits for the same batch
	waiting   bool
	write     *write
	join      join
	rival     bool // another one waited for the same bytes
	answered  bool
	err       int16
	index     int32 // in the request
	base      int64 // -1: none
	logEnd    int64 // an offset that the log had reached when the request came
	holes     int32 // of the log when the request came
	duplicate bool
	first     firstWriter // of a duplicate
}

// newRequest returns a request of n parts; with few it is one piece of memory,
// as its event is.
func newRequest(n int) *request {
	const few = 2
	if n > few {
		return &request{parts: make([]part, n)}
	}
	r := new(struct {
		request
		few [few]part
	})
	r.parts = r.few[:n]
	return &r.request
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

// asked is what the request says of the partition.
func (p *part) asked() *event.RequestPartition { return &p.r.ev.Partitions[p.index] }

func (a *Assembler) request(e *event.Request) {
	a.stats.Requests++
	b := a.broker(e.PID)
	if b.inFlight >= maxInFlight || b.parts+len(e.Partitions) > maxParts {
		a.stats.Dropped["too many in flight"]++
		return
	}
	r := newRequest(len(e.Partitions))
	r.a, r.b, r.ev, r.number = a, b, e, a.next()
	for i := range r.parts {
		p := &r.parts[i]
		p.r, p.index, p.base = r, int32(i), -1
		b.expect(p)
	}
	r.conn = a.connection(e.Conn)
	r.conn.requests = append(r.conn.requests, r)
	b.inFlight++
	b.parts += len(e.Partitions)
	for i := range r.parts {
		a.lookBack(&r.parts[i])
	}
	if !b.swept {
		b.swept = true
		a.after(e.LastByte+sweepEach, (*sweep)(b))
	}
}

// next numbers requests.
func (a *Assembler) next() uint64 {
	a.numbers++
	return a.numbers
}

// endWithout ends a request to which no response will be seen; what the
// candidates by CRC were is then as good as it gets.
func (a *Assembler) endWithout(r *request, why string) {
	r.lost = why
	r.leave()
	a.close(r, a.now)
}

// wrote ends an acks=0 request when the last of its writes is there.
func (a *Assembler) wrote(r *request) {
	for i := range r.parts {
		if r.parts[i].write == nil {
			return
		}
	}
	r.end = r.lastWrite()
	if r.closed != 0 {
		return // it had been given up
	}
	r.passOn(r.end, 0)
	r.leave()
	a.close(r, r.end)
}

// close says when there was nothing more to come but what the request links to,
// which is waited for; of packets alone it is only the names of topics.
func (a *Assembler) close(r *request, at event.Time) {
	r.closed = at
	if r.b.packetsOnly() && len(r.b.unnamed) == 0 {
		a.after(at, r)
		return
	}
	if r.plain() {
		a.after(at+brief, r)
		return
	}
	a.after(at+linger, r)
}

// brief is how long a request is kept open to which nothing happened.
const brief = lateExit + 5*ms

// plain says that nothing is seen that could link to it, or that it could link to:
// it was answered, its writes took no time, and no thread waited.
func (r *request) plain() bool {
	if r.resp == nil || r.asked || r.before.request != nil {
		return false
	}
	for i := range r.parts {
		p := &r.parts[i]
		w := p.write
		if p.join != joinExact || p.first.write != nil || w == nil || w.ev.End-w.ev.Start >= minHeld || w.awaited ||
			w.before == nil || w.before.busy() || w.after.busy() {
			return false
		}
	}
	return true
}

// busy says that something is seen in it that belongs to a request.
func (g *gap) busy() bool { return len(g.waits)+len(g.fsyncs) > 0 }

// lastMoment is where its trace ends.
func (r *request) lastMoment() event.Time {
	if r.end != 0 {
		return r.end
	}
	return r.lastSeen()
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

// ownID is what placeOrArrival says, which does not change once the request
// is finished.
func (r *request) ownID() spans.TraceID {
	if !r.id.IsZero() {
		return r.id
	}
	id := r.placeOrArrival()
	if r.finished {
		r.id = id
	}
	return id
}

// placeOrArrival follows the first partition, in the order of the request, that was
// written for it; without one, the arrival names it.
func (r *request) placeOrArrival() spans.TraceID {
	for i := range r.parts {
		q, base := &r.ev.Partitions[i], r.parts[i].place()
		if base < 0 {
			continue
		}
		return spans.PlaceID(r.b.id.Cluster, q.TopicID, q.Topic, q.Partition, base)
	}
	return spans.ArrivalID(r.b.id.Cluster, r.b.id.Node,
		r.ev.Client.String()+r.ev.Broker.String(), r.ev.CorrelationID, r.ev.ArrivalUnix)
}

// Latency is first byte in to first byte out. A request whose response never
// came took at least until it was given up: the slowest are among these.
func (r *request) Latency() time.Duration {
	end := r.end
	if end == 0 && r.ev.Acks != 0 {
		end = r.lastSeen()
	}
	return time.Duration(max(0, end-r.ev.Arrival))
}
