package flood

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// When a flood begins, by both clocks: any time would do.
const (
	beginMono = int64(1000 * time.Second)
	beginUnix = int64(1_790_000_000 * time.Second)
	unixMono  = beginUnix - beginMono

	us = int64(time.Microsecond)
)

// inFlight is how many quick requests are in work at most: a power of 2.
const inFlight = 8

// markEach is how often a live run says how far it has read; clockEach how often it
// compares its clocks.
const (
	markEach  = 100 * time.Millisecond
	clockEach = time.Second
)

// untold is how far back records may lie that come next: those of what lies within a
// write come with its end.
const untold = 10 * us

// Generator writes one flood. Not safe for concurrent use.
type Generator struct {
	// Pace, unless nil, is called now and then with how much of the flood's own
	// time has been written, and returns when more is wanted.
	Pace func(context.Context, time.Duration) error

	script Script
	*cast
	*probes
	r     *rand.Rand
	w     *recording.Writer
	truth *Truth

	quick [inFlight]quick
	acts  event.Heap[act] // of slow requests
	order uint64          // of the acts, and the transactions of the journal
	tx    uint32

	nextMark, nextClock, nextStall, nextPace int64
}

// quick is a request that nothing holds up.
type quick struct {
	conn        *conn
	part        *partition // nil: none
	shape       *shape
	crc         uint32
	correlation int32
	base        int64
}

// New prepares a flood; nothing is written yet.
func New(s Script, out io.Writer) (*Generator, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(s.Seed, 7))
	return &Generator{
		script: s, cast: newCast(&s, r), probes: newProbes(), r: r, truth: newTruth(),
		w: recording.NewWriter(out, recording.Header{Tailspan: "flood", Kernel: "6.18.0"}),
	}, nil
}

// quiet is how long nothing happens at the end, so that all that lingers is over.
const quiet = 60 * time.Second

// Run writes all of it and says what was slow. What it wrote is flushed; whoever
// reads it need not see an end of the file to have it all.
func (g *Generator) Run(ctx context.Context) (*Truth, error) {
	g.begin()
	at := beginMono
	g.nextMark, g.nextClock, g.nextStall = at, at+int64(clockEach), at+int64(stallEach)
	last := at + int64(g.script.For)
	for i := 0; ; i++ {
		at = beginMono + int64(i)*int64(time.Second)/int64(g.script.Rate)
		if at >= last && g.idle() {
			break
		}
		if err := g.pass(ctx, at, last); err != nil {
			return nil, err
		}
		g.step(i, at, at < last)
	}
	for end := at + int64(quiet); at < end; at += int64(markEach) {
		g.mark(at)
	}
	g.clock(at)
	if err := g.w.Flush(); err != nil {
		return nil, fmt.Errorf("write the flood: %w", err)
	}
	return g.truth, nil
}

// Bytes is how much was written.
func (g *Generator) Bytes() uint64 {
	n, _ := g.w.Stats()
	return n
}

// paceEach is how much is written at once where the pace is kept.
const paceEach = 5 * time.Millisecond

// pass does what is due before an instant.
func (g *Generator) pass(ctx context.Context, at, last int64) error {
	for g.acts.Len() > 0 && g.acts.Top().at <= at {
		g.act(g.acts.Pop())
	}
	if at >= g.nextClock {
		g.nextClock += int64(clockEach)
		g.clock(at)
	}
	if at >= g.nextMark {
		g.nextMark += int64(markEach)
		g.mark(at - untold)
		if err := g.gone(ctx); err != nil {
			return err
		}
	}
	if at >= g.nextStall && at < last-int64(Slowest) {
		g.nextStall += int64(stallEach)
		g.stall(at)
	}
	if g.Pace == nil || at < g.nextPace {
		return nil
	}
	g.nextPace = at + int64(paceEach)
	if err := g.w.Flush(); err != nil {
		return fmt.Errorf("write the flood: %w", err)
	}
	return g.Pace(ctx, time.Duration(at-beginMono))
}

// gone is why nothing more is to be written: the reader has gone, or ctx has ended.
func (g *Generator) gone(ctx context.Context) error {
	if _, lost := g.w.Stats(); lost > 0 {
		return fmt.Errorf("write the flood: %w", g.w.Flush())
	}
	return ctx.Err()
}

// idle says that nothing is in work.
func (g *Generator) idle() bool {
	for i := range g.quick {
		if g.quick[i].part != nil {
			return false
		}
	}
	return g.acts.Len() == 0
}

// Steps after its arrival at which something happens to a quick request.
const (
	stepPark   = 1
	stepWrite  = 2
	stepAnswer = 3 // with acks=all the follower's fetch
	stepLast   = 4 // the answer with acks=all
)

// step is the time between two arrivals: in it one request arrives, and those
// before it go on by a step each.
func (g *Generator) step(i int, at int64, arrives bool) {
	q := g.slot(i)
	*q = quick{}
	if arrives {
		g.arrive(q, i, at)
	}
	g.park(i-stepPark, at)
	g.write(i-stepWrite, at)
	if q := g.slot(i - stepAnswer); q.part != nil {
		if q.part.topic.replicated {
			g.fetches(q.part, q.base+int64(q.shape.records), at+5*us)
		} else {
			g.respond(q, at+6*us)
		}
	}
	if q := g.slot(i - stepLast); q.part != nil {
		g.respond(q, at+7*us)
	}
}

func (g *Generator) slot(i int) *quick { return &g.quick[i&(inFlight-1)] }

// ofEight says how often each shape comes.
var ofEight = func() (all [8]uint8) {
	n := 0
	for i, s := range sizes {
		for range s.weight {
			all[n] = uint8(i)
			n++
		}
	}
	return all
}()

// spread makes a number of another one that shows no order.
func spread(n uint32) uint32 {
	n *= 0x9e3779b1
	return n ^ n>>15
}

func (g *Generator) arrive(q *quick, i int, at int64) {
	k := i % len(g.conns)
	t := g.topics[k%len(g.topics)]
	p := t.partitions[(i/len(g.conns))%len(t.partitions)]
	if p.held {
		p = t.partitions[0]
	}
	if p.held {
		p = g.plain[i%len(g.plain)].partitions[0]
	}
	n := spread(uint32(i))
	*q = quick{conn: g.conns[k], part: p, shape: &p.shapes[ofEight[n>>29]], crc: n ^ uint32(g.script.Seed)<<24}
	q.correlation = q.conn.correlation
	q.conn.correlation++
	g.packet(at, q.shape.send(q.conn, q.correlation, q.crc))
	g.truth.request(p.topic.name, q.shape)
}

// park is a handler's stay in the request queue: one in four has nothing to do.
func (g *Generator) park(i int, at int64) {
	q := g.slot(i)
	if q.part == nil || i&3 != 1 {
		return
	}
	b, tid := g.probes.park, handler(i)
	stamp(b, tid, at+us)
	begun(b, at-3*int64(time.Second)/int64(g.script.Rate))
	le.PutUint64(b[32:], uint64(at+us/2))
	le.PutUint32(b[40:], networkTID)
	le.PutUint32(b[44:], uint32(1<<16+tid))
	g.probe(at+us, b)
}

func handler(i int) int32 { return int32(handlerTID + i&(handlers-1)) }

// write is a request's, and the wake-up of the network thread after it. In one of
// four the inode's times change.
func (g *Generator) write(i int, at int64) {
	q := g.slot(i)
	if q.part == nil {
		return
	}
	tid, from, to := handler(i), at-int64(time.Second)/int64(2*g.script.Rate), at+2*us
	if i&3 == 0 {
		g.dirtied(q.part, tid, from+us/2, to-us/2)
	}
	raw, base := q.part.written(q.shape, tid, from, to, q.crc)
	q.base = base
	g.probe(to, raw)
	g.wake(tid, at+4*us)
}

func (g *Generator) respond(q *quick, at int64) {
	g.packet(at, q.part.answer.give(q.conn, q.correlation, q.base))
	q.part = nil
}

// fetches is the follower's next Fetch, which says what it has, and its answer.
func (g *Generator) fetches(p *partition, offset, at int64) {
	k := g.follower
	f := &p.fetch
	k.toBroker(f.request)
	be.PutUint32(f.request[requestCorrelation:], uint32(k.correlation))
	be.PutUint64(f.request[f.offsetAt:], uint64(offset))
	g.packet(at, f.request)
	k.toClient(f.answer)
	be.PutUint32(f.answer[answerCorrelation:], uint32(k.correlation))
	g.packet(at+us/2, f.answer)
	k.correlation++
}

func (g *Generator) dirtied(p *partition, tid int32, from, to int64) {
	b := g.dirty
	stamp(b, tid, to)
	begun(b, from)
	le.PutUint64(b[32:], p.inode)
	g.probe(to, b)
}

func (g *Generator) wake(tid int32, at int64) {
	stamp(g.probes.wake, tid, at)
	g.probe(at, g.probes.wake)
}

func (g *Generator) packet(at int64, b []byte) { g.w.Packet(at+unixMono, b, len(b)) }

func (g *Generator) probe(at int64, raw []byte) { g.w.Probe(at+unixMono, raw) }
