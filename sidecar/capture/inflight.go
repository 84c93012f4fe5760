package capture

// awaited is a request whose response may come.
type awaited struct {
	correlationID int32
	key, version  int16
	produce       bool // handed on as an event, with acks other than 0
	follower      bool // a follower's Fetch, handed on
	maybe         bool // may be a Produce with acks=0, which has no response
	token         bool // a SASL token, which has no correlation id
	at            int64
}

// inflight holds the requests of one connection that wait for a response, in
// order. Brokers answer in order.
type inflight struct {
	items   []awaited
	head    int
	produce int // how many of them were handed on
	tokens  int
}

// maxInflight bounds the requests that may wait on one connection.
const maxInflight = 4096

func (q *inflight) len() int { return len(q.items) - q.head }

func (q *inflight) push(a awaited) {
	if q.head > 0 && len(q.items) == cap(q.items) {
		n := copy(q.items, q.items[q.head:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, a)
	q.count(&a, 1)
}

func (q *inflight) count(a *awaited, n int) {
	if a.produce {
		q.produce += n
	}
	if a.token {
		q.tokens += n
	}
}

func (q *inflight) front() *awaited { return &q.items[q.head] }

func (q *inflight) pop() awaited {
	a := q.items[q.head]
	q.head++
	q.count(&a, -1)
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return a
}

// find is how many requests wait before the one with a correlation id, -1
// where there is none.
func (q *inflight) find(correlationID int32) int {
	for i := q.head; i < len(q.items); i++ {
		if a := &q.items[i]; a.correlationID == correlationID && !a.token {
			return i - q.head
		}
	}
	return -1
}

// clear forgets all and returns how many had been handed on.
func (q *inflight) clear() (produce int) {
	produce = q.produce
	*q = inflight{items: q.items[:0]}
	return produce
}
