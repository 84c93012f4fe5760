package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const adminTimeoutMS = 15_000

// MakeTopics makes those that are not there, and waits until they have leaders.
func MakeTopics(ctx context.Context, address string, topics []Topic) error {
	admin, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return fmt.Errorf("make topics: %w", err)
	}
	defer admin.Close()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = adminTimeoutMS
	for _, t := range topics {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = t.Name, max(t.Partitions, 1), max(t.Replicas, 1)
		for k, v := range t.Config {
			topic.Configs = append(topic.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: k, Value: &v})
		}
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(ctx, admin)
	if err != nil {
		return fmt.Errorf("make topics: %w", err)
	}
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("make topic %s: %w", t.Topic, err)
		}
	}
	for _, t := range topics {
		if err := serving(ctx, admin, t); err != nil {
			return fmt.Errorf("wait for topic %s: %w", t.Name, err)
		}
	}
	return nil
}

// serving asks until the broker itself leads every partition of a topic: its
// metadata names it as the leader a little before it is.
func serving(ctx context.Context, admin *kgo.Client, t Topic) error {
	if _, err := topicID(ctx, admin, t.Name); err != nil {
		return err
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = t.Name
	for n := range max(t.Partitions, 1) {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = n, -1 // the end
		topic.Partitions = append(topic.Partitions, p)
	}
	req.Topics = append(req.Topics, topic)
	for {
		resp, err := req.RequestWith(ctx, admin)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(resp.Topics[0].Partitions, func(p kmsg.ListOffsetsResponseTopicPartition) bool { return p.ErrorCode != 0 }) {
			return nil
		}
		if err := sleep(ctx, pollPeriod); err != nil {
			return err
		}
	}
}

// topicID asks until every partition of a topic has a leader; that is soon.
func topicID(ctx context.Context, admin *kgo.Client, name string) ([16]byte, error) {
	for {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
		resp, err := req.RequestWith(ctx, admin)
		if err != nil {
			return [16]byte{}, fmt.Errorf("metadata of %s: %w", name, err)
		}
		t := resp.Topics[0]
		ready := t.ErrorCode == 0
		for _, p := range t.Partitions {
			ready = ready && p.ErrorCode == 0
		}
		if ready {
			return t.TopicID, nil
		}
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil && !kerr.IsRetriable(err) {
			return [16]byte{}, fmt.Errorf("metadata of %s: %w", name, err)
		}
		if err := sleep(ctx, pollPeriod); err != nil {
			return [16]byte{}, fmt.Errorf("metadata of %s: %w", name, err)
		}
	}
}

// Throttle sets how many bytes a second a client id may produce; 0 lifts it.
func Throttle(ctx context.Context, address, clientID string, bytesPerSecond float64) error {
	admin, err := kgo.NewClient(kgo.SeedBrokers(address))
	if err != nil {
		return fmt.Errorf("set quota: %w", err)
	}
	defer admin.Close()
	req := kmsg.NewPtrAlterClientQuotasRequest()
	req.Entries = []kmsg.AlterClientQuotasRequestEntry{{
		Entity: []kmsg.AlterClientQuotasRequestEntryEntity{{Type: "client-id", Name: &clientID}},
		Ops:    []kmsg.AlterClientQuotasRequestEntryOp{{Key: "producer_byte_rate", Value: bytesPerSecond, Remove: bytesPerSecond == 0}},
	}}
	resp, err := req.RequestWith(ctx, admin)
	if err != nil {
		return fmt.Errorf("set quota: %w", err)
	}
	for _, e := range resp.Entries {
		if err := kerr.ErrorForCode(e.ErrorCode); err != nil {
			return fmt.Errorf("set quota: %w", err)
		}
	}
	return nil
}

// newProducerID gives an idempotent producer's id and epoch.
func newProducerID(ctx context.Context, admin *kgo.Client) (int64, int16, error) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis = adminTimeoutMS
	req.ProducerID, req.ProducerEpoch = -1, -1
	for {
		resp, err := req.RequestWith(ctx, admin)
		if err != nil {
			return 0, 0, fmt.Errorf("init producer id: %w", err)
		}
		err = kerr.ErrorForCode(resp.ErrorCode)
		if err == nil {
			return resp.ProducerID, resp.ProducerEpoch, nil
		}
		if !kerr.IsRetriable(err) {
			return 0, 0, fmt.Errorf("init producer id: %w", err)
		}
		if err := sleep(ctx, pollPeriod); err != nil {
			return 0, 0, err
		}
	}
}
