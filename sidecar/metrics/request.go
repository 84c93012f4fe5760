package metrics

// Request counts a finished produce request, and says whether it was slow.
func (m *Metrics) Request(r *Request) (slow bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.broker(r.Broker)
	slow = m.time(b, m.count(b, r), r)
	if r.Queue > 0 {
		b.observe(m, queue, r.Queue)
	}
	if r.Replication > 0 {
		b.observe(m, replication, r.Replication)
	}
	return slow
}

// count adds up what it had for each topic, and returns the one that the request
// itself is counted under.
func (m *Metrics) count(b *broker, r *Request) *topic {
	var under *topic
	other := false
	lost := r.Failed && !r.refused()
	for i := range r.Topics {
		p := &r.Topics[i]
		t := m.topics.of(p.Topic, !lost && p.Errors < p.partitions())
		other = other || t == m.topics.rest
		under = t
		x := b.trafficOf(t)
		x.add(p.Bytes, p.Records)
		switch {
		case p.Errors > 0:
			x.failed(m.errorLabel(p.Error), p.Errors)
		case lost:
			x.failed(lostLabel, p.partitions())
		}
	}
	if other {
		m.otherRequests++
	}
	if !r.oneTopic() {
		return m.topics.several
	}
	return under
}

// time counts how long it took, and whether that is slow.
func (m *Metrics) time(b *broker, t *topic, r *Request) (slow bool) {
	d := max(r.Latency, 0)
	x := b.trafficOf(t)
	x.took(m, d)
	b.produceMax.note(d)
	objective := t.objective
	if t == m.topics.rest {
		objective = m.topics.slo(r.Topics[0].Topic)
	}
	if slow = objective > 0 && d >= objective; slow {
		x.wasSlow(d, causes{r.Cause, r.RootCause})
	}
	return slow
}

// oneTopic says that all parts are of one, which a client can name twice.
func (r *Request) oneTopic() bool {
	for i := range r.Topics {
		if r.Topics[i].Topic != r.Topics[0].Topic {
			return false
		}
	}
	return len(r.Topics) > 0
}

// refused says that a partition of it was.
func (r *Request) refused() bool {
	for i := range r.Topics {
		if r.Topics[i].Errors > 0 {
			return true
		}
	}
	return false
}

func (p *TopicPart) partitions() int { return max(p.Partitions, 1) }
