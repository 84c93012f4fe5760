package otlp

import (
	"sync"

	"github.com/tailspan/tailspan/spans"
)

// Count is a number of traces and of the spans in them.
type Count struct{ Traces, Spans uint64 }

func (c *Count) add(traces, spans int) {
	c.Traces += uint64(traces)
	c.Spans += uint64(spans)
}

// Stats accounts for every trace that was given to Export:
// Given = Exported + QueueFull + Rejected + Undelivered + Queued.
type Stats struct {
	Given       Count
	Exported    Count  // acknowledged by the collector
	Queued      Count  // held now, also while being sent
	QueueFull   Count  // dropped: the queue was full
	Rejected    Count  // dropped: the collector refused them, or nothing was in them
	Undelivered Count  // dropped: not delivered when the exporter was shut down
	Unsure      Count  // sent again although the collector may have taken them, for no answer came: it may have them twice
	Batches     uint64 // accepted by the collector
	Failures    uint64 // attempts to send that failed
	LastError   string // of the last failed attempt
}

// queue is a first-in, first-out list of whole traces, bounded by spans. The
// traces of the batch that is being sent stay in it until they are settled.
type queue struct {
	limit int
	ready chan struct{} // holds a token when something was pushed

	mu     sync.Mutex
	traces []*spans.Trace
	closed bool
	s      Stats
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1)}
}

func (q *queue) push(t *spans.Trace) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	if t != nil {
		n = len(t.Spans)
	}
	q.s.Given.add(1, n)
	switch {
	case n == 0:
		q.s.Rejected.add(1, 0)
		return false
	case q.closed:
		q.s.Undelivered.add(1, n)
		return false
	case int(q.s.Queued.Spans)+n > q.limit:
		q.s.QueueFull.add(1, n)
		return false
	}
	q.traces = append(q.traces, t)
	q.s.Queued.add(1, n)
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// batch appends to b the oldest traces, up to batchSpans spans but at least
// one trace, and leaves them in the queue. full says that no more would fit.
func (q *queue) batch(b []*spans.Trace) (_ []*spans.Trace, full bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, t := range q.traces {
		if n += len(t.Spans); n > batchSpans && len(b) > 0 {
			return b, true
		}
		b = append(b, t)
	}
	return b, n >= batchSpans
}

// settle removes the oldest traces; rejected of their spans were refused.
func (q *queue) settle(traces, rejected int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for _, t := range q.traces[:traces] {
		n += len(t.Spans)
	}
	q.drop(traces, n)
	rejected = min(max(rejected, 0), n)
	q.s.Rejected.add(0, rejected)
	q.s.Exported.add(0, n-rejected)
	if rejected == n { // which ones of a part is not said
		q.s.Rejected.add(traces, 0)
	} else {
		q.s.Exported.add(traces, 0)
	}
}

// drop takes the oldest traces out of the list.
func (q *queue) drop(traces, spans int) {
	clear(q.traces[:traces])
	q.traces = q.traces[traces:]
	if len(q.traces) == 0 {
		q.traces = nil // let go of a list that has grown
	}
	q.s.Queued.Traces -= uint64(traces)
	q.s.Queued.Spans -= uint64(spans)
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
}

// abandon gives up what is left.
func (q *queue) abandon() Count {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := q.s.Queued
	q.drop(int(left.Traces), int(left.Spans))
	q.s.Undelivered.add(int(left.Traces), int(left.Spans))
	return left
}

// attempted counts an attempt to send.
func (q *queue) attempted(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		q.s.Batches++
		return
	}
	q.s.Failures++
	q.s.LastError = brief(err)
}

// doubt counts traces of whose delivery nothing is known.
func (q *queue) doubt(traces, spans int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.s.Unsure.add(traces, spans)
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.s
}
