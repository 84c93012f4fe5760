package event

import "sync"

// Source numbers the producers of events; it breaks ties, so that a replay
// merges exactly as the live run did.
type Source uint8

const (
	Packets Source = iota
	Probes

	sources
)

// Queue merges the events of several sources in the order of time. Each
// source pushes nearly in order; what has been pushed is handed on once every
// source is known to have got past it. Safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	lanes   [sources]lane
	strays  Heap[item] // what came too far out of order for its lane
	held    int
	seq     uint64
	limit   int
	dropped uint64
	late    uint64
	mark    Time
}

type item struct {
	at  Time
	tie uint64 // source, then order of arrival
	ev  Event
}

// Less orders by time, then source, then arrival.
func (a item) Less(b item) bool { return a.at < b.at || a.at == b.at && a.tie < b.tie }

// lane holds the events of one source, sorted.
type lane struct {
	items []item
	first int
}

// maxShift is how far a lane moves an event back to its place: CPUs' records
// and reordered packets are a few places out, a hostile recording is more.
const maxShift = 64

// push is false where the event is too far out of order.
func (l *lane) push(x item) bool {
	i := len(l.items)
	for n := 0; i > l.first && x.Less(l.items[i-1]); n++ {
		if n == maxShift {
			return false
		}
		i--
	}
	l.items = append(l.items, item{})
	copy(l.items[i+1:], l.items[i:])
	l.items[i] = x
	return true
}

// top is the first event, if there is one.
func (l *lane) top() (item, bool) {
	if l.first == len(l.items) {
		return item{}, false
	}
	return l.items[l.first], true
}

// pop takes the first event off.
func (l *lane) pop() {
	l.items[l.first] = item{}
	l.first++
	switch {
	case l.first == len(l.items):
		l.items, l.first = l.items[:0], 0
	case l.first > len(l.items)/2 && l.first > 1024:
		n := copy(l.items, l.items[l.first:])
		clear(l.items[n:])
		l.items, l.first = l.items[:n], 0
	}
}

// NewQueue returns a queue that holds at most limit events; more are dropped
// and counted.
func NewQueue(limit int) *Queue { return &Queue{limit: limit} }

// Push adds an event.
func (q *Queue) Push(s Source, e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held >= q.limit {
		q.dropped++
		return
	}
	at := e.At()
	if at < q.mark {
		q.late++
	}
	q.seq++
	q.held++
	x := item{at, uint64(s)<<56 | q.seq, e}
	if !q.lanes[s].push(x) {
		q.strays.Push(x)
	}
}

// Advance hands every event at or before mark to handle, in order. handle may
// push, but not advance.
func (q *Queue) Advance(mark Time, handle func(Event)) {
	q.mu.Lock()
	q.mark = max(q.mark, mark)
	for {
		e := q.next(mark)
		if e == nil {
			break
		}
		q.mu.Unlock()
		handle(e)
		q.mu.Lock()
	}
	q.mu.Unlock()
}

// next takes the least event at or before mark, nil without one.
func (q *Queue) next(mark Time) Event {
	least, from := item{at: mark, tie: ^uint64(0)}, -1
	for i := range q.lanes {
		if x, ok := q.lanes[i].top(); ok && x.Less(least) {
			least, from = x, i
		}
	}
	if q.strays.Len() > 0 && q.strays.Top().Less(least) {
		q.held--
		return q.strays.Pop().ev
	}
	if from < 0 {
		return nil
	}
	q.held--
	q.lanes[from].pop()
	return least.ev
}

// QueueStats counts what the queue could not do.
type QueueStats struct {
	Pending int    // held now
	Dropped uint64 // the queue was full
	Late    uint64 // handed on after a later event
}

// Stats may be read at any time.
func (q *Queue) Stats() QueueStats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return QueueStats{q.held, q.dropped, q.late}
}
