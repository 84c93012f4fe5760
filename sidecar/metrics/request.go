package metrics

import "time"

// Request counts a finished produce request.
func (m *Metrics) Request(r *Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	b := m.broker(r.Broker)
	m.count(b, r)
	m.time(b, r)
	if r.Queue > 0 {
		b.observe(m, queue, r.Queue)
	}
	if r.Replication > 0 {
		b.observe(m, replication, r.Replication)
	}
}

// count adds up what it had for each topic.
func (m *Metrics) count(b *broker, r *Request) {
	other := false
	lost := r.Failed && !r.refused()
	for i := range r.Topics {
		p := &r.Topics[i]
		t := m.topics.of(p.Topic, !lost && p.Errors < p.partitions())
		other = other || t == m.topics.rest
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
}

// time counts how long it took.
func (m *Metrics) time(b *broker, r *Request) {
	d := max(r.Latency, 0)
	t, objective := m.topicOf(r)
	x := b.trafficOf(t)
	x.took(m, d)
	b.produceMax.note(d)
	if objective > 0 && d >= objective {
		x.wasSlow(d, causes{r.Cause, r.RootCause})
	}
}

// topicOf is the topic that the request itself is counted under, and its
// objective: of several, that of no topic.
func (m *Metrics) topicOf(r *Request) (*topic, time.Duration) {
	t := m.topics.several
	if len(r.Topics) == 0 {
		return t, t.objective
	}
	name := r.Topics[0].Topic
	for i := range r.Topics {
		if r.Topics[i].Topic != name {
			return t, t.objective
		}
	}
	t = m.topics.find(name)
	return t, m.topics.objectiveOf(t, name)
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
