package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
	"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

// topics are made with these settings. The broker compresses what comes plain
// to a topic with a codec: so there are Kafka's own streams as well.
var topics = map[string]map[string]string{
	"clients":     nil,
	"by-gzip":     {"compression.type": "gzip"},
	"by-snappy":   {"compression.type": "snappy"},
	"by-lz4":      {"compression.type": "lz4"},
	"by-zstd":     {"compression.type": "zstd"},
	"stamped":     {"message.timestamp.type": "LogAppendTime"},
	"compacted":   {"cleanup.policy": "compact", "segment.ms": "1000"},
	"transaction": nil,
}

func produce(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := create(ctx, address); err != nil {
		return err
	}
	for name, codec := range codecs {
		if err := send(ctx, address, "clients", name, 2, kgo.ProducerBatchCompression(codec)); err != nil {
			return err
		}
	}
	for topic := range topics {
		if topic == "clients" || topic == "transaction" {
			continue
		}
		if err := send(ctx, address, topic, topic, 3, kgo.ProducerBatchCompression(kgo.NoCompression())); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second) // the next ones go to segments of their own
	for _, topic := range []string{"clients", "compacted"} {
		if err := send(ctx, address, topic, "late", 2, kgo.ProducerBatchCompression(kgo.ZstdCompression())); err != nil {
			return err
		}
	}
	return transact(ctx, address)
}

func create(ctx context.Context, address string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrCreateTopicsRequest()
	for name, configs := range topics {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
		for k, v := range configs {
			c := kmsg.NewCreateTopicsRequestTopicConfig()
			c.Name, c.Value = k, &v
			t.Configs = append(t.Configs, c)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		err = errors.Join(err, kerr.ErrorForCode(t.ErrorCode))
	}
	return err
}

// send writes so many batches of three records each, every record with a trace
// context and a message id.
func send(ctx context.Context, address, topic, id string, batches int, opts ...kgo.Opt) error {
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic))...)
	if err != nil {
		return err
	}
	defer cl.Close()
	for n := range batches {
		if err := cl.ProduceSync(ctx, records(id, n)...).FirstErr(); err != nil {
			return fmt.Errorf("produce to %s: %w", topic, err)
		}
	}
	return nil
}

func records(id string, batch int) (all []*kgo.Record) {
	for i := range 3 {
		all = append(all, &kgo.Record{
			Key:   fmt.Appendf(nil, "key-%d", i),
			Value: []byte(strings.Repeat("0123456789", 3)),
			Headers: []kgo.RecordHeader{
				{Key: "traceparent", Value: fmt.Appendf(nil, "00-%032x-%016x-01", 0xabc0+batch, 16*batch+i+1)},
				{Key: "message-id", Value: fmt.Appendf(nil, "%s-%d-%d", id, batch, i)},
				{Key: "empty", Value: nil},
			},
		})
	}
	return all
}

// transact commits one transaction and aborts another.
func transact(ctx context.Context, address string) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic("transaction"), kgo.TransactionalID("fixture"))
	if err != nil {
		return err
	}
	defer cl.Close()
	for n, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, records("transaction", n)...).FirstErr(); err != nil {
			return fmt.Errorf("produce in a transaction: %w", err)
		}
		if err := cl.EndTransaction(ctx, end); err != nil {
			return err
		}
	}
	return nil
}
