package otlp

// account runs a change of the account, as one step for whoever reads it.
func (q *queue) account(change func(*Stats)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	change(&q.s)
}

// settle closes the account of traces that the collector has answered for;
// rejected of their spans were refused.
func (q *queue) settle(b batch, rejected int) {
	n := b.count()
	refused := min(uint64(max(rejected, 0)), n.Spans)
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case b.stored != nil:
		q.s.Disk.Queued = q.s.Disk.Queued.minus(n)
	case q.gone:
		return
	default:
		q.held = q.held.minus(n)
	}
	q.s.Rejected.Spans += refused
	q.s.Exported.Spans += n.Spans - refused
	to := &q.s.Exported
	if refused == n.Spans { // which ones of a part is not said
		to = &q.s.Rejected
	}
	to.Traces += n.Traces
	to.Requests += n.Requests
}

// attempted counts an attempt to send.
func (q *queue) attempted(err error) {
	q.account(func(s *Stats) {
		if err == nil {
			s.Batches++
			return
		}
		s.Failures++
		s.LastError = brief(err)
	})
}

// doubt counts traces of whose delivery nothing is known.
func (q *queue) doubt(n Count) { q.account(func(s *Stats) { s.Unsure = s.Unsure.plus(n) }) }

// spilled moves traces from memory to disk; reject drops some that nothing
// could ever send.
func (q *queue) spilled(n, reject Count) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.gone {
		return
	}
	q.held = q.held.minus(n).minus(reject)
	q.s.Rejected = q.s.Rejected.plus(reject)
	q.s.Disk.Queued, q.s.Disk.Spilled = q.s.Disk.Queued.plus(n), q.s.Disk.Spilled.plus(n)
	signal(q.ready)
}

// restored takes in what an earlier process left.
func (q *queue) restored(n Count) {
	q.account(func(s *Stats) { s.Restored, s.Disk.Queued = s.Restored.plus(n), s.Disk.Queued.plus(n) })
	signal(q.ready)
}

// lost drops traces that were on disk; reason is the field to count them in.
func (q *queue) lost(n Count, reason func(*Stats) *Count) {
	if n == (Count{}) {
		return
	}
	q.account(func(s *Stats) {
		s.Disk.Queued = s.Disk.Queued.minus(n)
		c := reason(s)
		*c = c.plus(n)
	})
}

// diskFailed counts an operation that failed.
func (q *queue) diskFailed(err error) {
	q.account(func(s *Stats) {
		s.Disk.Errors++
		s.Disk.LastError = brief(err)
	})
}

func torn(s *Stats) *Count       { return &s.Torn }
func corrupt(s *Stats) *Count    { return &s.Corrupt }
func unreadable(s *Stats) *Count { return &s.Unreadable }
