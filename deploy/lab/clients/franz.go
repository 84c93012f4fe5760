package clients

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// minFranzBatch is the least that franz-go takes for a batch's bytes.
const minFranzBatch = 512

var franzCodecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func franzOptions(o *Options) []kgo.Opt {
	acks := map[int16]kgo.Acks{0: kgo.NoAck(), 1: kgo.LeaderAck(), -1: kgo.AllISRAcks()}[o.acks()]
	opts := []kgo.Opt{
		kgo.SeedBrokers(o.Address), kgo.ClientID(o.ClientID), kgo.RequiredAcks(acks), kgo.ProducerLinger(o.Linger),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(franzCodecs[o.Codec]),
		kgo.MaxBufferedRecords(maxUnacknowledged),
	}
	switch {
	case o.Transactions > 0:
		opts = append(opts, kgo.TransactionalID(o.transactionID()))
	case !o.Idempotent:
		opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(o.InFlight))
	}
	if o.BatchBytes > 0 {
		opts = append(opts, kgo.ProducerBatchMaxBytes(int32(max(o.BatchBytes, minFranzBatch))))
	}
	return opts
}

func franz(ctx context.Context, o *Options) (err error) {
	l, err := newLog(o.File())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	c, err := kgo.NewClient(franzOptions(o)...)
	if err != nil {
		return err
	}
	defer c.Close()
	random := o.draw()
	n := 0
	for p := newPace(o); p.next(ctx); n++ {
		if o.Transactions > 0 && n%o.Transactions == 0 {
			if err := c.BeginTransaction(); err != nil {
				return fmt.Errorf("begin transaction: %w", err)
			}
		}
		v := value(random, o.ValueBytes)
		s := o.newSent(n, v)
		c.Produce(ctx, franzRecord(s, v), func(r *kgo.Record, err error) {
			s.answered(r.Offset, franzCode(err), err)
			l.add(s)
		})
		if o.BatchBytes == 1 && o.Idempotent || o.ends(n) {
			if err := c.Flush(ctx); err != nil {
				return err
			}
		}
		if o.ends(n) {
			if err := c.EndTransaction(ctx, kgo.TransactionEndTry(!o.aborted(n))); err != nil {
				return fmt.Errorf("end transaction: %w", err)
			}
		}
	}
	if err := c.Flush(ctx); err != nil {
		return err
	}
	if o.Transactions > 0 && n%o.Transactions != 0 {
		return c.EndTransaction(ctx, kgo.TransactionEndTry(!o.aborted(n-1)))
	}
	return nil
}

func franzRecord(s *Sent, value []byte) *kgo.Record {
	return &kgo.Record{Topic: s.Topic, Partition: s.Partition, Value: value, Headers: []kgo.RecordHeader{
		{Key: Header, Value: []byte(s.MessageIDs[0])}, {Key: Traceparent, Value: []byte(s.Parents[0])}}}
}

func franzCode(err error) *int16 {
	var k *kerr.Error
	if errors.As(err, &k) {
		return &k.Code
	}
	return nil
}
