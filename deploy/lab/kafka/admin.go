package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic is a topic to be made.
type Topic struct {
	Name       string
	Partitions int
	// Replicas are the brokers of each partition, the leader first; nil: the
	// cluster chooses, one replica a partition.
	Replicas [][]int32
	Configs  map[string]string // min.insync.replicas, compression.type, …
}

// Create makes a topic.
func (b *Broker) Create(ctx context.Context, t Topic) error {
	r := kmsg.NewPtrCreateTopicsRequest()
	r.TimeoutMillis = 30_000
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = t.Name, int32(t.Partitions), 1
	if t.Replicas != nil {
		topic.NumPartitions, topic.ReplicationFactor = -1, -1
	}
	for i, brokers := range t.Replicas {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), brokers
		topic.ReplicaAssignment = append(topic.ReplicaAssignment, a)
	}
	for k, v := range t.Configs {
		c := kmsg.NewCreateTopicsRequestTopicConfig()
		c.Name, c.Value = k, kmsg.StringPtr(v)
		topic.Configs = append(topic.Configs, c)
	}
	r.Topics = append(r.Topics, topic)
	cl, err := b.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	answer, err := r.RequestWith(ctx, cl)
	if err != nil {
		return fmt.Errorf("create topic %s: %w", t.Name, err)
	}
	for _, a := range answer.Topics {
		if err := kerr.ErrorForCode(a.ErrorCode); err != nil {
			return fmt.Errorf("create topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// Set changes a dynamic setting of all brokers (KIP-226).
func (b *Broker) Set(ctx context.Context, name, value string) error {
	const broker, set = 4, 0 // ConfigResource.Type, AlterConfigOp.OpType
	change := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	change.Name, change.Op, change.Value = name, set, kmsg.StringPtr(value)
	all := kmsg.NewIncrementalAlterConfigsRequestResource()
	all.ResourceType = broker
	all.Configs = append(all.Configs, change)
	r := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r.Resources = append(r.Resources, all)
	cl, err := b.client()
	if err != nil {
		return err
	}
	defer cl.Close()
	answer, err := r.RequestWith(ctx, cl)
	if err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	for _, a := range answer.Resources {
		if err := kerr.ErrorForCode(a.ErrorCode); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

func (b *Broker) client() (*kgo.Client, error) {
	opts, err := b.Access(b.first(), "").Franz()
	if err != nil {
		return nil, err
	}
	return kgo.NewClient(opts...)
}

// CreateTopic makes a topic with so many partitions of one replica, unless it
// is there.
func (b *Broker) CreateTopic(ctx context.Context, name string, partitions int) error {
	if err := b.Create(ctx, Topic{Name: name, Partitions: partitions}); !errors.Is(err, kerr.TopicAlreadyExists) {
		return err
	}
	return nil
}
