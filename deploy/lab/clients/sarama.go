package clients

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

var saramaCodecs = map[string]sarama.CompressionCodec{
	"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
	"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
}

func saramaConfig(o *Options) *sarama.Config {
	c := sarama.NewConfig()
	c.ClientID = o.ClientID
	c.Version = sarama.MaxVersion
	c.Net.MaxOpenRequests = o.InFlight
	p := &c.Producer
	p.RequiredAcks = sarama.RequiredAcks(o.acks())
	p.Compression = saramaCodecs[o.Codec]
	p.Partitioner = sarama.NewManualPartitioner
	p.Return.Successes, p.Return.Errors = true, true
	p.Flush.Frequency = o.Linger
	if o.BatchBytes == 1 {
		p.Flush.MaxMessages = 1
	} else if o.BatchBytes > 0 {
		p.Flush.Bytes = o.BatchBytes
	}
	if o.Idempotent || o.Transactions > 0 {
		p.Idempotent, c.Net.MaxOpenRequests = true, 1 // as sarama demands
	}
	p.Transaction.ID = o.transactionID()
	return c
}

func saramaGo(ctx context.Context, o *Options) (err error) {
	l, err := newLog(o.File())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	producer, err := sarama.NewAsyncProducer([]string{o.Address}, saramaConfig(o))
	if err != nil {
		return err
	}
	// room bounds what is without an answer; answered holds one for each that has one.
	room, heard := make(chan struct{}, maxUnacknowledged), make(chan struct{})
	go func() { defer close(heard); saramaAnswers(producer, l, room) }()
	defer func() {
		producer.AsyncClose()
		<-heard
	}()
	random := o.draw()
	n := 0
	for p := newPace(o); p.next(ctx); n++ {
		if o.Transactions > 0 && n%o.Transactions == 0 {
			if err := producer.BeginTxn(); err != nil {
				return fmt.Errorf("begin transaction: %w", err)
			}
		}
		room <- struct{}{}
		v := value(random, o.ValueBytes)
		s := o.newSent(n, v)
		producer.Input() <- saramaMessage(s, v)
		if o.ends(n) {
			if err := saramaEnd(producer, o.aborted(n)); err != nil {
				return err
			}
		}
	}
	if o.Transactions > 0 && n%o.Transactions != 0 {
		return saramaEnd(producer, o.aborted(n-1))
	}
	return nil
}

// saramaEnd ends a transaction; both of sarama's ways flush first.
func saramaEnd(p sarama.AsyncProducer, abort bool) error {
	end := p.CommitTxn
	if abort {
		end = p.AbortTxn
	}
	if err := end(); err != nil {
		return fmt.Errorf("end transaction: %w", err)
	}
	return nil
}

func saramaAnswers(p sarama.AsyncProducer, l *log, room <-chan struct{}) {
	good, bad := p.Successes(), p.Errors()
	for good != nil || bad != nil {
		select {
		case m, ok := <-good:
			if !ok {
				good = nil
				continue
			}
			s := m.Metadata.(*Sent)
			s.answered(m.Offset, nil, nil)
			l.add(s)
		case e, ok := <-bad:
			if !ok {
				bad = nil
				continue
			}
			s := e.Msg.Metadata.(*Sent)
			s.answered(0, saramaCode(e.Err), e.Err)
			l.add(s)
		}
		<-room
	}
}

func saramaMessage(s *Sent, value []byte) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: s.Topic, Partition: s.Partition, Value: sarama.ByteEncoder(value), Metadata: s,
		Headers: []sarama.RecordHeader{
			{Key: []byte(Header), Value: []byte(s.MessageIDs[0])}, {Key: []byte(Traceparent), Value: []byte(s.Parents[0])}}}
}

func saramaCode(err error) *int16 {
	var k sarama.KError
	if errors.As(err, &k) {
		return ptr(int16(k))
	}
	return nil
}
