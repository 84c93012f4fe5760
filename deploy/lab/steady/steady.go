package steady

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Client is one connection of the load: one record a request, one request after
// the other, so that records are requests and both sides of a pair do the same
// work. (Kafka's own tool batches by chance: its requests a record differ from
// stretch to stretch, and it counts whole milliseconds.)
type Client struct {
	*kgo.Client
	topic      string
	partitions int32
}

const (
	connections = 10                    // of Connect
	period      = 10 * time.Millisecond // of a connection's requests
	recordBytes = 1900
)

// Connect makes the load's clients; Close each.
func Connect(address, topic string, partitions int) ([]*Client, error) {
	var all []*Client
	for range connections {
		c, err := New(address, topic, partitions)
		if err != nil {
			for _, c := range all {
				c.Close()
			}
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// New connects a client.
func New(address, topic string, partitions int) (*Client, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(address), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0),
		kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite(), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		return nil, fmt.Errorf("kafka client: %w", err)
	}
	return &Client{c, topic, int32(partitions)}, nil
}

// Records is how many the topic holds: the sum of its end offsets.
func (c *Client) Records(ctx context.Context) (int64, error) {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = c.topic
	for n := range c.partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = n, -1 // the end
		topic.Partitions = append(topic.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, c.Client)
	if err != nil {
		return 0, fmt.Errorf("list offsets: %w", err)
	}
	var sum int64
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return 0, fmt.Errorf("list offsets: %s-%d: error %d", t.Topic, p.Partition, p.ErrorCode)
			}
			sum += p.Offset
		}
	}
	return sum, nil
}

// Latencies sends records, one a request, until the time is over, and returns
// how long each took, sorted.
func Latencies(ctx context.Context, clients []*Client, length time.Duration) ([]time.Duration, error) {
	end := time.Now().Add(length)
	all, errs := make([][]time.Duration, len(clients)), make([]error, len(clients))
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { all[i], errs[i] = c.latencies(ctx, end) })
	}
	wg.Wait()
	merged := slices.Concat(all...)
	slices.Sort(merged)
	return merged, errors.Join(errs...)
}

func (c *Client) latencies(ctx context.Context, end time.Time) (took []time.Duration, err error) {
	value := make([]byte, recordBytes)
	tick := time.NewTicker(period)
	defer tick.Stop()
	for time.Now().Before(end) {
		<-tick.C
		begin := time.Now()
		if err := c.ProduceSync(ctx, &kgo.Record{Value: value}).FirstErr(); err != nil {
			return nil, fmt.Errorf("produce: %w", err)
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}
