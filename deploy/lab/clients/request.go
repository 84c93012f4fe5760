package clients

import (
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
)

// Limits of the formats.
const (
	firstBatchVersion = 3  // of Produce; before it message sets
	firstZstdVersion  = 7  // KIP-110
	firstTopicIDs     = 13 // KIP-516
)

// request is a Produce request and what is recorded of it, a Sent a partition.
type request struct {
	shape   Shape
	version int16
	acks    int16
	sent    []*Sent
	batches [][]byte
}

// drawn is a request with the shape, version and acks that the options allow.
func (s *sender) drawn(shape Shape) *request {
	r := &request{shape: shape, version: pick(s.random, s.versions), acks: s.o.acks()}
	if acks := s.o.Raw.Acks; len(acks) > 0 && !s.o.Idempotent {
		r.acks = pick(s.random, acks)
	}
	return r
}

// codec that a version can carry.
func (s *sender) codec(version int16) string {
	codecs := s.o.Raw.Codecs
	if len(codecs) == 0 {
		codecs = []string{s.o.Codec}
	}
	if c := pick(s.random, codecs); c != "zstd" || version >= firstZstdVersion {
		return c
	}
	return "gzip"
}

// drawPlaces draws distinct partitions, topic by topic.
func (s *sender) drawPlaces(n int) []place {
	out := make([]place, 0, n)
	for _, i := range s.random.Perm(len(s.places))[:min(max(n, 1), len(s.places))] {
		out = append(out, s.places[i])
	}
	slices.SortStableFunc(out, func(a, b place) int {
		return slices.IndexFunc(s.o.Topics, func(t Topic) bool { return t.Name == a.topic }) -
			slices.IndexFunc(s.o.Topics, func(t Topic) bool { return t.Name == b.topic })
	})
	return out
}

// batchOf draws a batch that belongs to no idempotent producer.
func (s *sender) batchOf(records int, size Range, codec string) *wire.Batch {
	b := &wire.Batch{Codec: codec, Timestamp: time.Now().UnixMilli(), ProducerID: wire.Plain, ProducerEpoch: wire.Plain, Sequence: wire.Plain}
	for range max(records, 1) {
		id := MessageID(s.o.ClientID, s.records)
		s.records++
		b.Records = append(b.Records, kmsg.Record{Value: value(s.random, size), Headers: []kmsg.Header{
			{Key: Header, Value: []byte(id)}, {Key: Traceparent, Value: []byte(TraceparentOf(id))}}})
	}
	return b
}

// idempotent makes a batch the next one of the sender's producer.
func (s *sender) idempotent(b *wire.Batch, at place) *wire.Batch {
	b.ProducerID, b.ProducerEpoch, b.Sequence = s.producerID, s.epoch, s.sequence[at]
	s.sequence[at] += int32(len(b.Records))
	return b
}

// add puts a batch into the request.
func (r *request) add(s *sender, at place, b *wire.Batch) error {
	sent := &Sent{
		Client: Raw, ClientID: s.o.ClientID, Shape: r.shape, APIVersion: &r.version, Acks: r.acks,
		Codec: b.Codec, Topic: at.topic, Partition: at.partition, Records: len(b.Records),
	}
	for i := range b.Records {
		sent.MessageIDs = append(sent.MessageIDs, string(b.Records[i].Headers[0].Value))
		sent.Parents = append(sent.Parents, string(b.Records[i].Headers[1].Value))
	}
	var bytes []byte
	if r.version < firstBatchVersion {
		sent.MessageIDs, sent.Parents, sent.Codec = nil, nil, "none" // there were no headers yet
		bytes = wire.MessageSet(int8(max(r.version-1, 0)), b.Timestamp, b.Records)
	} else {
		var crc uint32
		var err error
		if bytes, crc, err = b.Encode(); err != nil {
			return err
		}
		sent.CRC = &crc
	}
	sent.Bytes = len(bytes)
	r.sent, r.batches = append(r.sent, sent), append(r.batches, bytes)
	return nil
}

// again is the same request, to be sent and recorded once more.
func (r *request) again() *request {
	c := *r
	c.sent = nil
	for _, s := range r.sent {
		sent := *s
		c.sent = append(c.sent, &sent)
	}
	return &c
}

const timeoutMS = 15_000

func (r *request) message(s *sender) *kmsg.ProduceRequest {
	m := kmsg.NewPtrProduceRequest()
	m.SetVersion(r.version)
	m.Acks, m.TimeoutMillis = r.acks, timeoutMS
	for i, sent := range r.sent {
		if n := len(m.Topics); n == 0 || m.Topics[n-1].Topic != sent.Topic {
			t := kmsg.NewProduceRequestTopic()
			t.Topic, t.TopicID = sent.Topic, s.topicID(sent.Topic)
			m.Topics = append(m.Topics, t)
		}
		t := &m.Topics[len(m.Topics)-1]
		t.Partitions = append(t.Partitions, kmsg.ProduceRequestTopicPartition{Partition: sent.Partition, Records: r.batches[i]})
	}
	return m
}

// topicID of a topic; of one that does not exist an id that does not either.
func (s *sender) topicID(name string) [16]byte {
	if id, ok := s.topicIDs[name]; ok {
		return id
	}
	return [16]byte{15: 0xff, 14: 0xff}
}

// send sends a request when the connection has room for it, and records each of
// its batches when it is answered, or, without acks, when it is written.
func (r *request) send(s *sender, c *wire.Conn, inFlight int) {
	c.Await(max(inFlight-1, 0))
	m := r.message(s)
	id, now := c.NextID(), time.Now().UnixNano()
	for _, sent := range r.sent {
		sent.Local, sent.CorrelationID, sent.SentNS = c.Local(), &id, now
	}
	err := c.Send(m, func(a wire.Answer) { r.answered(s, a) })
	if r.acks != 0 {
		return
	}
	for _, sent := range r.sent {
		if err != nil {
			sent.Failure = err.Error()
		}
		s.log.add(sent)
	}
}

func (r *request) answered(s *sender, a wire.Answer) {
	for _, sent := range r.sent {
		if a.Err != nil {
			sent.Failure = a.Err.Error()
		} else {
			sent.AckNS = nanos(a.At)
			sent.ThrottleMS = a.Response.ThrottleMillis
			sent.partition(a.Response, s.topicID(sent.Topic))
		}
		s.log.add(sent)
	}
}

// partition takes over what the response says of the batch.
func (sent *Sent) partition(resp *kmsg.ProduceResponse, id [16]byte) {
	for _, t := range resp.Topics {
		if resp.Version < firstTopicIDs && t.Topic != sent.Topic || resp.Version >= firstTopicIDs && t.TopicID != id {
			continue
		}
		for _, p := range t.Partitions {
			if p.Partition != sent.Partition {
				continue
			}
			sent.Error = ptr(p.ErrorCode)
			if p.ErrorCode == 0 {
				sent.Offset = ptr(p.BaseOffset)
			}
			return
		}
	}
	sent.Failure = fmt.Sprintf("%s-%d is not in the response", sent.Topic, sent.Partition)
}
