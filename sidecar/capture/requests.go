package capture

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// requests is a Decoder as the handler of its current connection's requests.
type requests Decoder

// Request implements kafka.RequestHandler.
func (r *requests) Request(h *kafka.RequestHeader) kafka.Body {
	d, in := (*Decoder)(r), &r.cur.in
	d.byKey[uint8(h.APIKey)]++
	in.note(h)
	switch {
	case h.APIKey == kafka.KeyFetch && h.APIVersion >= kafka.FetchOldest && h.APIVersion <= kafka.FetchLatest:
		in.fetch = d.fetchPool.take().Begin(h.APIVersion, d.names)
		return in.fetch
	case h.APIKey != kafka.KeyProduce:
		return nil
	case h.APIVersion < kafka.ProduceOldest:
		d.unsupported++
		return in.old.Begin()
	case h.APIVersion > kafka.ProduceLatest:
		d.unsupported++
		return nil
	}
	in.body = d.requests.take().Begin(h.APIVersion, d.names, d.headers)
	return in.body
}

// RequestDone implements kafka.RequestHandler.
func (r *requests) RequestDone(h *kafka.RequestHeader, b kafka.Body, err error) {
	d, c := (*Decoder)(r), r.cur
	a := awaited{correlationID: h.CorrelationID, key: h.APIKey, version: h.APIVersion, at: d.stamp}
	answered := true
	switch b := b.(type) {
	case *kafka.ProduceRequest:
		if err == nil {
			answered = b.Acks != 0
			a.produce = answered
			d.emitRequest(c, h, b)
		}
	case *kafka.FetchRequest:
		if err == nil && b.Replica >= 0 && !c.in.suspected {
			a.follower = true
			d.emitFetch(c, h, b)
		}
	case *kafka.ProduceAcks:
		answered = err != nil || b.Acks != 0
	}
	if err != nil {
		d.undecodable++
	}
	a.maybe = h.APIKey == kafka.KeyProduce && (b == nil || err != nil)
	d.giveRequest(c)
	if answered {
		d.await(c, a)
	}
	if h.APIKey == kafka.KeySaslHandshake && h.APIVersion == 0 {
		c.in.stream.Raw = true
	}
}

// TokenDone implements kafka.RequestHandler.
func (r *requests) TokenDone() {
	r.tokens++
	(*Decoder)(r).await(r.cur, awaited{token: true, at: r.stamp})
}

// await notes a request whose response may come.
func (d *Decoder) await(c *conn, a awaited) {
	if c.out.answers.len() >= maxInflight {
		d.dropAnswers(c, reasonEvicted)
	}
	c.out.answers.push(a)
	if a.produce && !c.in.suspected {
		d.outstanding++
	}
}

// giveRequest puts the storage of the frame that was read back.
func (d *Decoder) giveRequest(c *conn) {
	if b := c.in.body; b != nil && cap(b.Partitions) <= maxPooledPartitions {
		d.requests.give(b)
	}
	d.giveFetch(c.in.fetch)
	c.in.body, c.in.fetch = nil, nil
}

// dropRequest gives up the request that is being read.
func (d *Decoder) dropRequest(c *conn) {
	if c.in.body != nil {
		d.lost["partial"]++
	}
	d.giveRequest(c)
	raw := c.in.stream.Raw
	c.in.stream.Reset()
	c.in.stream.Raw = raw
}

// emitRequest hands a request on, or keeps it back while it is suspected.
func (d *Decoder) emitRequest(c *conn, h *kafka.RequestHeader, b *kafka.ProduceRequest) {
	e := event.NewRequest(len(b.Partitions))
	e.Arrival, e.LastByte = d.o.Clock.Mono(c.in.stream.First), d.o.Clock.Mono(d.stamp)
	e.ArrivalUnix, e.LastByteUnix = c.in.stream.First, d.stamp
	e.Conn, e.Client, e.Broker, e.PID = c.id, c.client, c.broker, c.pid
	e.Bytes, e.APIVersion, e.CorrelationID = h.Size, h.APIVersion, h.CorrelationID
	e.ClientID, e.TransactionalID, e.Acks = h.ClientID, b.TransactionalID, b.Acks
	for i := range b.Partitions {
		d.partition(c, h, i, &b.Partitions[i], &e.Partitions[i])
	}
	d.recordHeaders(c, h, b, e)
	if !d.suspect(c, e) {
		d.handOn(c, e)
	}
}

func (d *Decoder) handOn(c *conn, e *event.Request) {
	d.produced++
	c.owed = true
	d.o.Emit(e)
}

func (d *Decoder) partition(c *conn, h *kafka.RequestHeader, i int, p *kafka.ProducePartition, e *event.RequestPartition) {
	e.Topic, e.TopicID, e.Partition, e.Bytes = p.Topic, p.TopicID, p.Partition, p.Bytes
	e.Records, e.CRC, e.Attributes = p.Batch.Records, p.Batch.CRC, p.Batch.Attributes
	e.ProducerID, e.ProducerEpoch, e.BaseSequence = p.Batch.ProducerID, p.Batch.ProducerEpoch, p.Batch.BaseSequence
	e.MessageIDs = d.messageIDs(c, h, i, p.MessageIDs)
	if p.Topic == "" {
		e.Topic = d.topicName(c, p.TopicID)
	}
	if !p.Whole {
		d.badBatches++
	}
	if p.HeadersFailed {
		d.messageIDErrors++
	}
}

// topicName resolves a topic id, "" if nobody knows it.
func (d *Decoder) topicName(c *conn, id [16]byte) string {
	if d.o.Topics != nil {
		if name, ok := d.o.Topics.Name(c.pid, id); ok {
			return name
		}
		d.unnamed.add(topicKey{c.pid, id}, d.now)
	}
	d.topicUnknown++
	return ""
}
