package event

import "sync"

// Source numbers the producers of events; it breaks ties, so that a replay
// merges exactly as the live run did.
type Source uint8

const (
	Packets Source = iota
	Probes
)

// Queue merges the events of several sources in the order of time. Each
// source pushes nearly in order; what has been pushed is handed on once every
// source is known to have got past it. Safe for concurrent use.
type Queue struct {
	mu      sync.Mutex
	heap    []item
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

// NewQueue returns a queue that holds at most limit events; more are dropped
// and counted.
func NewQueue(limit int) *Queue { return &Queue{limit: limit} }

// Push adds an event.
func (q *Queue) Push(s Source, e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.heap) >= q.limit {
		q.dropped++
		return
	}
	at := e.At()
	if at < q.mark {
		q.late++
	}
	q.seq++
	q.heap = append(q.heap, item{at, uint64(s)<<56 | q.seq, e})
	q.up(len(q.heap) - 1)
}

// Advance hands every event at or before mark to handle, in order. handle may
// not call the queue.
func (q *Queue) Advance(mark Time, handle func(Event)) {
	q.mu.Lock()
	if mark > q.mark {
		q.mark = mark
	}
	for len(q.heap) > 0 && q.heap[0].at <= mark {
		e := q.pop()
		q.mu.Unlock()
		handle(e)
		q.mu.Lock()
	}
	q.mu.Unlock()
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
	return QueueStats{len(q.heap), q.dropped, q.late}
}

func (a item) less(b item) bool { return a.at < b.at || a.at == b.at && a.tie < b.tie }

func (q *Queue) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if !q.heap[i].less(q.heap[p]) {
			return
		}
		q.heap[i], q.heap[p] = q.heap[p], q.heap[i]
		i = p
	}
}

func (q *Queue) pop() Event {
	e, n := q.heap[0].ev, len(q.heap)-1
	q.heap[0] = q.heap[n]
	q.heap[n] = item{}
	q.heap = q.heap[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			return e
		}
		if c+1 < n && q.heap[c+1].less(q.heap[c]) {
			c++
		}
		if !q.heap[c].less(q.heap[i]) {
			return e
		}
		q.heap[i], q.heap[c] = q.heap[c], q.heap[i]
		i = c
	}
}
