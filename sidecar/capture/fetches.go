package capture

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// emitFetch hands a follower's Fetch request on.
func (d *Decoder) emitFetch(c *conn, h *kafka.RequestHeader, b *kafka.FetchRequest) {
	e := &event.Fetch{
		Arrival: d.o.Clock.Mono(c.in.stream.First), LastByte: d.o.Clock.Mono(d.stamp),
		Conn: c.id, PID: c.pid, CorrelationID: h.CorrelationID, Replica: b.Replica,
	}
	if n := len(b.Partitions); n > 0 {
		e.Partitions = make([]event.FetchPartition, n)
	}
	for i := range b.Partitions {
		p, to := &b.Partitions[i], &e.Partitions[i]
		to.TopicPartition = event.TopicPartition{Topic: p.Topic, Partition: p.Partition}
		to.TopicID, to.Offset = p.TopicID, p.Offset
		switch {
		case p.Topic != "":
		case i > 0 && p.TopicID == b.Partitions[i-1].TopicID: // of one topic, all in a row
			to.Topic = e.Partitions[i-1].Topic
		default:
			to.Topic = d.topicName(c, p.TopicID)
		}
	}
	d.fetches++
	d.o.Emit(e)
}

// emitFetched says that the answer to a follower has begun to leave.
func (d *Decoder) emitFetched(c *conn, a *awaited) {
	d.o.Emit(&event.Fetched{Time: d.o.Clock.Mono(c.out.stream.First), Conn: c.id, CorrelationID: a.correlationID})
}

// giveFetch puts storage back, unless a follower's whole list has made it large.
func (d *Decoder) giveFetch(b *kafka.FetchRequest) {
	if b != nil && cap(b.Partitions) <= maxPooledPartitions {
		d.fetchPool.give(b)
	}
}
