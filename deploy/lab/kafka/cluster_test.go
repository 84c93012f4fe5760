package kafka

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// Three brokers hold the same bytes; a request with acks=all waits for the
// follower that is held back, and one that the leader alone answers does not.
func TestCluster(t *testing.T) {
	const held = time.Second
	d := installed(t, Default)
	c, err := StartCluster(t.Context(), d, 3, within(t, Config{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	err = c.Brokers[0].Create(t.Context(), Topic{Name: "orders", Replicas: [][]int32{{1, 2, 3}},
		Configs: map[string]string{"min.insync.replicas": "3"}})
	if err != nil {
		t.Fatal(err)
	}
	// A client's first request is behind one for metadata, which may go to any broker.
	sender := func(acks kgo.Acks) func() time.Duration {
		cl := client(t, Access{Address: c.Addresses(), Protocol: Plaintext}, kgo.DefaultProduceTopic("orders"),
			kgo.RequiredAcks(acks), kgo.DisableIdempotentWrite(), kgo.ProducerLinger(0))
		send := func() time.Duration {
			began := time.Now()
			if err := cl.ProduceSync(t.Context(), kgo.StringRecord("value")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		send()
		return send
	}
	byLeader, byAll := sender(kgo.LeaderAck()), sender(kgo.AllISRAcks())

	follower := c.Brokers[2]
	if err := follower.Hold(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	resume := time.AfterFunc(held, func() { _ = follower.Resume() })
	defer resume.Stop()
	if took := byLeader(); took > held/2 {
		t.Errorf("the leader alone took %s while a follower was held for %s", took, held)
	}
	left := held - time.Since(began)
	if took := byAll(); took < left {
		t.Errorf("acks=all took %s while a follower was held for another %s", took, left)
	}
	c.same(t)
}

// same compares the brokers' segments, byte by byte.
func (c *Cluster) same(t *testing.T) {
	t.Helper()
	leader, err := os.ReadFile(c.Brokers[0].segment("orders-0"))
	if err != nil || len(leader) == 0 {
		t.Fatalf("the leader holds %d bytes, %v", len(leader), err)
	}
	for _, b := range c.Brokers[1:] {
		if got, err := os.ReadFile(b.segment("orders-0")); err != nil || !bytes.Equal(got, leader) {
			t.Errorf("broker %d holds %d bytes, the leader %d: %v", b.ID, len(got), len(leader), err)
		}
	}
}
