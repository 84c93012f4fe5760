package assemble

import (
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	// queueLock is how close to a stay in the request queue a park without a time
	// limit is one for the queue's own lock (ArrayBlockingQueue.poll takes it
	// before it waits, and again afterwards). What a handler does to a request
	// before it may meet another lock takes longer.
	queueLock = event.Time(50 * time.Microsecond)
	// stampSlack is how far the clocks of packets and probes may be apart.
	stampSlack = event.Time(5 * time.Microsecond)
)

// idle is a handler's stay in the request queue: a park with a time limit
// (KafkaRequestHandler.run → RequestChannel.receiveRequest(300) →
// ArrayBlockingQueue.poll → LockSupport.parkNanos). Nothing else that a handler
// does is known to park so.
type idle struct {
	woken event.Time // 0: by nobody, its limit was over
	end   event.Time // 0: there was none
	join  join       // how sure it is that its end is that of the stay
	seen  string     // as spans.KeyParkSource
}

// parker tells a thread's parks from its other sleeps, for monitors and for what
// the JVM does itself, which the kernel sees alike: each thread has one Parker,
// another one for monitors, and so two condition variables of its own
// (runtime/javaThread.hpp: _parker, _ParkEvent). The one that it is woken from
// most often, before a time limit is over, is that of the request queue.
type parker struct {
	futex uint32
	lead  uint8 // how much more often it was that one than others, up to maxLead
}

const (
	sureLead = 3
	maxLead  = 200 // a broker that is never idle for a while does not change it
)

// is says whether a sleep is a park, and learns from it.
func (p *parker) is(e *event.Park) bool {
	if !e.Kernel {
		return true
	}
	if e.Timed && e.Waker.TID != 0 {
		switch {
		case e.Futex == p.futex:
			p.lead = min(p.lead+1, maxLead)
		case p.lead == 0:
			p.futex, p.lead = e.Futex, 1
		default:
			p.lead--
		}
	}
	return e.Futex == p.futex && p.lead >= sureLead
}

// park takes the stay of a thread in LockSupport.park: in the request queue, for
// that queue's own lock, or for another lock of java.util.concurrent.
func (a *Assembler) park(e *event.Park) {
	b := a.broker(e.PID)
	t := b.thread(e.TID)
	if t.waiting != nil || e.Start > e.End || !t.parker.is(e) {
		return
	}
	woken := e.Woken
	if woken < e.Start || woken > e.End {
		woken = 0
	}
	last := &t.gap.idle
	switch {
	case e.Timed:
		if t.gap.dropQueueLock(e.Start) {
			a.stats.Parks--
		}
		t.gap = &gap{idle: idle{woken: woken, end: e.End, join: joinExact, seen: sourceOf(e)}}
	case last.end != 0 && e.Start-last.end < queueLock && len(t.gap.waits) == 0:
		last.end, last.join = e.End, joinInferred
	case t.gap.mayBeQueue() && e.End-e.Start < minHold: // that lock is held for microseconds
		a.stats.Ambiguous++
	default:
		a.parked(b, t, e, woken)
	}
}

// mayBeQueue says that nothing is seen of the thread since it was done with a
// request: what it is parked for may be the request queue's own lock, to find the
// next request there without a stay, or be that one's already.
func (g *gap) mayBeQueue() bool {
	return g.prev == nil && g.idle.end == 0 && len(g.waits) == 0 && len(g.fsyncs) == 0
}

// dropQueueLock takes back the park right before one in the queue, if there is
// one: it was for nobody.
func (g *gap) dropQueueLock(start event.Time) bool {
	n := len(g.waits)
	if n == 0 || g.waits[n-1].park == nil || start-g.waits[n-1].end >= queueLock {
		return false
	}
	g.waits[n-1].ambiguous = true
	g.waits = slices.Delete(g.waits, n-1, n)
	return true
}

// parked notes a wait for a lock. Who ended it had the lock, or shared it, until
// then: what that one did meanwhile is what it was held for.
func (a *Assembler) parked(b *broker, t *thread, e *event.Park, woken event.Time) {
	a.stats.Parks++
	w := &wait{b: b, start: e.Start, end: e.End, thread: e.Thread, park: e}
	if woken != 0 && e.Waker.TID != 0 {
		w.released(&exit{time: woken, thread: e.Waker, since: woken}, b.thread(e.Waker.TID))
	}
	a.waited(t, w)
}

// taken is when, and how surely, a handler took a request from the queue.
type taken struct {
	at   event.Time // 0: not known
	join join
	seen string // as spans.KeyParkSource
}

// dequeued is what the last stay in the queue of the request's handler says, if
// nothing is seen between that and its first write. Who had been woken before
// the broker can have had the request was woken for another one. The handler
// that writes for a transaction may be another than the one that took it, once
// that is verified.
func (r *request) dequeued() (k taken) {
	parts := r.written()
	if r.bare || len(parts) == 0 || r.ev.TransactionalID != "" {
		return k
	}
	w := r.parts[parts[0]].write
	if w.before == nil {
		return k
	}
	i := &w.before.idle
	if i.woken == 0 || i.woken < max(r.ev.LastByte, r.muted)-stampSlack || i.end > w.ev.Start {
		return k
	}
	return taken{i.end, i.join, i.seen}
}

// stirs is when a handler began to work on the request, as far as is seen.
func (r *request) stirs(first *write) event.Time {
	if r.taken.at != 0 {
		return r.taken.at
	}
	return r.firstStir(first)
}

// queueAttributes say how the end of request.queue is known.
func (r *request) queueAttributes() []attribute.KeyValue {
	if r.taken.at == 0 {
		return []attribute.KeyValue{attribute.String(spans.KeyJoin, joinInferred.String())}
	}
	return []attribute.KeyValue{
		attribute.String(spans.KeyJoin, r.taken.join.String()),
		attribute.String(spans.KeyParkSource, r.taken.seen)}
}

// park adds park.wait with who ended it.
func (b *builder) park(parent int, w *wait) {
	e := w.park
	attrs := append(threadAttributes(w.thread), attribute.String(spans.KeyParkSource, sourceOf(e)))
	if e.Waker.TID != 0 {
		attrs = append(attrs, attribute.String(spans.KeyWaker, e.Waker.Name), attribute.Int64(spans.KeyWakerID, int64(e.Waker.TID)))
	}
	i := b.span(parent, spans.NamePark, w.spanID(b.t.ID), w.start, w.end, attrs...)
	b.holders(i, w)
}

func sourceOf(e *event.Park) string {
	if e.Kernel {
		return "kernel"
	}
	return "usdt"
}

// kind is the cause that a wait is by itself.
func (w *wait) kind() int {
	if w.park != nil {
		return costPark
	}
	return costMonitor
}
