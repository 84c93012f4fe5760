package canary

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

var codecs = map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}

// client is a franz-go client whose bytes are kept.
type client struct {
	*kgo.Client
	tap  *tap
	who  kafka.Login
	name string
}

// dial makes a client of a listener.
func (s *stage) dial(t *testing.T, name string, p kafka.Protocol, m kafka.Mechanism, who kafka.Login, more ...kgo.Opt) *client {
	t.Helper()
	a := s.broker.Access(p, m)
	a.Login = who
	opts, err := a.Franz()
	if err != nil {
		t.Fatal(err)
	}
	c := &client{tap: &tap{}, who: who, name: name}
	if p != kafka.SASLSSL { // there, franz-go itself encrypts
		opts = append(opts, kgo.Dialer(c.tap.dial))
	}
	opts = append(opts, kgo.ClientID(s.identity("%s: client id", name)), kgo.DefaultProduceTopic(s.topic.Text()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond), kgo.RecordRetries(0))
	if c.Client, err = kgo.NewClient(append(opts, more...)...); err != nil {
		t.Fatal(err)
	}
	return c
}

// hangUp closes a client and notes what only its bytes tell.
func (s *stage) hangUp(t *testing.T, c *client) (auths, batches int) {
	t.Helper()
	c.Close()
	return s.derive(t, c.who, c.name, c.tap.heard())
}

// record is one of marks all over.
func (s *stage) record(name string, partition int) *kgo.Record {
	return &kgo.Record{
		Partition: int32(partition), Key: s.special("%s: key", name).Bytes,
		Value: append(s.secret("%s: value", name).Bytes, s.binary("%s: end of the value", name).Bytes...),
		Headers: []kgo.RecordHeader{
			{Key: s.secret("%s: header's name", name).Text(), Value: s.secret("%s: header's value", name).Bytes},
			{Key: s.header.Text(), Value: s.messageID("%s: message id", name)},
			{Key: s.header.Text() + "-not", Value: s.special("%s: value of a header of a longer name", name).Bytes},
			{Key: clients.Traceparent, Value: s.traceparent("%s: traceparent", name)},
			{Key: "tracestate", Value: s.secret("%s: tracestate", name).Bytes},
			{Key: "baggage", Value: s.secret("%s: baggage", name).Bytes},
		},
	}
}

const (
	rounds        = 3 // requests of a client, at least
	recordsATime  = 4
	produceWithin = 20 * time.Second
)

// send produces some batches; all must be taken.
func (s *stage) send(t *testing.T, c *client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), produceWithin)
	defer cancel()
	for round := range rounds {
		var all []*kgo.Record
		for i := range recordsATime {
			all = append(all, s.record(fmt.Sprintf("%s, round %d, record %d", c.name, round, i), round%partitions))
		}
		if err := c.ProduceSync(ctx, all...).FirstErr(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// produceAll has clients of every listener, mechanism and codec produce.
func (s *stage) produceAll(t *testing.T) {
	t.Helper()
	auths, batches := 0, 0
	for name, codec := range codecs {
		for _, l := range []struct {
			p   kafka.Protocol
			m   kafka.Mechanism
			who kafka.Login
		}{
			{kafka.Plaintext, "", kafka.Login{}}, {kafka.SASLPlaintext, kafka.Plain, s.people.plain[0]},
			{kafka.SASLPlaintext, kafka.SCRAMSHA512, s.people.scram[0]}, {kafka.SASLSSL, kafka.Plain, s.people.plain[0]},
		} {
			c := s.dial(t, fmt.Sprintf("%s %s %s", l.p, l.m, name), l.p, l.m, l.who, kgo.ProducerBatchCompression(codec))
			s.send(t, c)
			a, b := s.hangUp(t, c)
			auths, batches = auths+a, batches+b
		}
	}
	if auths < 3*len(codecs) || batches < 3*(len(codecs)-1)*rounds {
		t.Errorf("%d SASL requests and %d compressed batches were heard", auths, batches)
	}
}

// transact produces in a transaction, without acks, and as an older client does.
func (s *stage) transact(t *testing.T) {
	t.Helper()
	c := s.dial(t, "transaction", kafka.SASLPlaintext, kafka.SCRAMSHA512, s.people.scram[0], kgo.TransactionalID(s.identity("transactional id")))
	if err := c.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	s.send(t, c)
	if err := c.EndTransaction(t.Context(), kgo.TryCommit); err != nil {
		t.Errorf("end transaction: %v", err)
	}
	s.hangUp(t, c)
	c = s.dial(t, "without acks", kafka.Plaintext, "", kafka.Login{}, kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite())
	s.send(t, c)
	s.hangUp(t, c)
}

// consume reads all back, as a member of a group, over a connection that must
// log in again.
func (s *stage) consume(t *testing.T) {
	t.Helper()
	group, instance := s.secret("group").Text(), s.secret("group instance").Text()
	c := s.dial(t, "consumer", kafka.SASLPlaintext, kafka.SCRAMSHA512, s.people.scram[0], kgo.ConsumerGroup(group),
		kgo.InstanceID(instance), kgo.ConsumeTopics(s.topic.Text()), kgo.Rack(s.secret("rack").Text()), kgo.FetchMaxWait(100*time.Millisecond))
	ctx, cancel := context.WithTimeout(t.Context(), produceWithin)
	defer cancel()
	begin, records := time.Now(), 0
	for (records == 0 || time.Since(begin) < 2*time.Second) && ctx.Err() == nil {
		short, stop := context.WithTimeout(ctx, time.Second)
		records += c.PollFetches(short).NumRecords()
		stop()
	}
	if err := c.CommitUncommittedOffsets(ctx); err != nil {
		t.Errorf("commit: %v", err)
	}
	if auths, _ := s.hangUp(t, c); records == 0 || auths < 3 {
		t.Errorf("%d records read, %d SASL requests", records, auths)
	}
}

// java has Kafka's own client log in and produce.
func (s *stage) java(t *testing.T, n int, m kafka.Mechanism, who kafka.Login) {
	t.Helper()
	file := s.file(fmt.Sprintf("payloads-%d", n))
	if err := os.WriteFile(file, append(s.secret("Java's value, %s", m).Bytes, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := s.broker.Produce(n, kafka.Load{Topic: s.topic.Text(), PerSecond: 200, Records: 100, Payloads: file, Protocol: kafka.SASLPlaintext,
		Mechanism: m, Login: who, Properties: map[string]string{"client.id": s.identity("Java's client id, %s", m), "compression.type": "lz4"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Summary(t.Context()); err != nil {
		t.Errorf("Java, %s: %v", m, err)
	}
}
