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
	lanes   [sources]Order[item]
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
	q.lanes[s].Push(item{at, uint64(s)<<56 | q.seq, e})
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
		if q.lanes[i].Len() > 0 {
			if x := q.lanes[i].Top(); x.Less(least) {
				least, from = x, i
			}
		}
	}
	if from < 0 {
		return nil
	}
	q.held--
	q.lanes[from].Pop()
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
