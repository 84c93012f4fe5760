package otlp

import (
	"slices"
	"sync"

	"github.com/tailspan/tailspan/spans"
)

// queue is a first-in, first-out list of whole traces in memory, bounded by
// spans, and the one account of them all, those on disk included. Its lock is
// never held while something else is waited for.
type queue struct {
	limit   int
	ready   chan struct{} // holds a token when there may be something to send
	crowded chan struct{} // holds a token when more than half of the memory may be full

	mu      sync.Mutex
	traces  []*spans.Trace // that wait, the oldest first
	waiting int            // spans in them
	held    Count          // in memory: waiting, being sent, being written
	closed  bool
	gone    bool // given up: what comes of the rest no longer counts
	s       Stats
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1), crowded: make(chan struct{}, 1)}
}

func (q *queue) push(t *spans.Trace) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := countOf(t)
	q.s.Given = q.s.Given.plus(n)
	switch {
	case n.Spans == 0:
		q.s.Rejected = q.s.Rejected.plus(n)
		return false
	case q.closed:
		q.s.Undelivered = q.s.Undelivered.plus(n)
		return false
	case int(q.held.Spans+n.Spans) > q.limit:
		q.s.QueueFull = q.s.QueueFull.plus(n)
		return false
	}
	q.traces = append(q.traces, t)
	q.held = q.held.plus(n)
	q.waiting += int(n.Spans)
	signal(q.ready)
	if q.isCrowded() {
		signal(q.crowded)
	}
	return true
}

// take moves the oldest traces from the queue to b, up to batchSpans spans but
// at least one trace. They count as queued until they are settled, stored or
// given back.
func (q *queue) take(b []*spans.Trace) []*spans.Trace {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, taken := 0, 0
	for _, t := range q.traces {
		if n+len(t.Spans) > batchSpans && taken > 0 {
			break
		}
		n += len(t.Spans)
		taken++
	}
	b = append(b, q.traces[:taken]...)
	clear(q.traces[:taken])
	if q.traces = q.traces[taken:]; len(q.traces) == 0 {
		q.traces = nil // let go of a list that has grown
	}
	q.waiting -= n
	return b
}

// giveBack returns traces to the head of the queue.
func (q *queue) giveBack(b []*spans.Trace) {
	if len(b) == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone {
		return
	}
	q.traces = slices.Concat(b, q.traces)
	q.waiting += spanCount(b)
	signal(q.ready)
}

// spans that wait.
func (q *queue) waits() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting
}

// tooMany says whether more than half of the memory is full, and some of it
// waits.
func (q *queue) tooMany() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.isCrowded()
}

func (q *queue) isCrowded() bool { return q.waiting > 0 && int(q.held.Spans) > q.limit/2 }

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// abandon gives up what memory still holds.
func (q *queue) abandon() Count {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.held
	q.traces, q.waiting, q.held, q.gone = nil, 0, Count{}, true
	q.s.Undelivered = q.s.Undelivered.plus(left)
	return left
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	s := q.s
	s.Queued = q.held.plus(s.Disk.Queued)
	return s
}

// signal leaves a token, if there is none yet.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func spanCount(batch []*spans.Trace) (n int) {
	for _, t := range batch {
		n += len(t.Spans)
	}
	return n
}
