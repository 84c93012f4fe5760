package capture

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/event"
)

func fetchesOf(events []event.Event) (qs []*event.Fetch, as []*event.Fetched) {
	for _, e := range events {
		switch e := e.(type) {
		case *event.Fetch:
			qs = append(qs, e)
		case *event.Fetched:
			as = append(as, e)
		}
	}
	return qs, as
}

// Every version of a follower's request and of a consumer's, in random
// segments, live and from the recording.
func TestFollowerFetch(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 31), 1, &at)
	talk.open()
	talk.metadata()
	for version := int16(4); version <= 18; version++ {
		for _, replica := range []int32{3, -1} {
			q, a := kmsg.NewPtrFetchRequest(), kmsg.NewPtrFetchResponse()
			q.Version, q.ReplicaID, q.ReplicaState.ID, q.Rack = version, replica, replica, string(secret)
			topic, part := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
			topic.Topic, topic.TopicID = "by-id", [16]byte{7}
			for i := range int32(3) {
				part.Partition, part.FetchOffset = i, int64(version)*10+int64(i)
				topic.Partitions = append(topic.Partitions, part)
			}
			q.Topics = append(q.Topics, topic)
			rt, rp := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
			rp.RecordBatches = bytes.Repeat(secret, 100)
			rt.Partitions = append(rt.Partitions, rp)
			a.Topics = append(a.Topics, rt)
			talk.call(q, a)
		}
	}
	got, ids := run(talk.packets, nil, Bounds{})
	qs, as := fetchesOf(got.events)
	if len(qs) != 15 || len(as) != 15 || got.stats.Fetches != 15 || got.stats.Undecodable > 0 {
		t.Fatalf("%d requests, %d responses: %+v", len(qs), len(as), got.stats)
	}
	for i, q := range qs {
		version := 4 + i
		if q.Replica != 3 || q.PID != 42 || len(q.Partitions) != 3 || q.CorrelationID != as[i].CorrelationID || q.Conn != as[i].Conn || as[i].Time < q.LastByte || q.Arrival > q.LastByte {
			t.Fatalf("v%d: %+v, %+v", version, q, as[i])
		}
		for j, p := range q.Partitions {
			if p.Topic != "by-id" || p.Partition != int32(j) || p.Offset != int64(version*10+j) || (p.TopicID != [16]byte{}) != (version >= 13) {
				t.Fatalf("v%d: %+v", version, p)
			}
		}
	}
	second, _ := run(got.recorded, ids, Bounds{})
	compareEvents(t, got.events, second.events)
	for i, p := range got.recorded {
		if bytes.Contains(p.Data, secret[:6]) {
			t.Fatalf("packet %d holds a secret", i)
		}
	}
}

// Fetched is the first byte out, however long the rest takes.
func TestFetchedIsTheFirstByte(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 1), 1, &at)
	talk.open()
	q, a := kmsg.NewPtrFetchRequest(), kmsg.NewPtrFetchResponse()
	q.Version, a.Version, q.ReplicaState.ID = 17, 17, 5
	talk.call(q, nil)
	b := talk.response(a, 0)
	talk.packet(true, flagACK, b[:3])
	first := at
	at += 1e9
	talk.packet(true, flagACK, b[3:])
	got, _ := run(talk.packets, nil, Bounds{})
	if _, as := fetchesOf(got.events); len(as) != 1 || as[0].Time != event.Time(first) {
		t.Fatal(fmt.Sprint(as), first)
	}
}

// Produce v0 to v2 is counted and never handed on, and the responses stay in
// step whether it is answered or not.
func TestOldProduceKeepsStep(t *testing.T) {
	for seed := range uint64(20) {
		at := int64(1_700_000_000_000_000_000)
		talk := newTalk(testRand(t, seed), 1, &at)
		talk.open()
		talk.metadata()
		for range 30 {
			talk.oldProduce()
			talk.produce(1 + talk.r.IntN(3))
		}
		got, _ := run(talk.packets, nil, Bounds{})
		if n, m := len(requestsOf(got.events)), len(responsesOf(got.events)); n != talk.requests || m != talk.answered ||
			got.stats.UnsupportedVersion != 30 || got.stats.Unmatched+got.stats.Undecodable+got.stats.Desyncs > 0 {
			t.Fatalf("%d of %d requests, %d of %d responses: %+v", n, talk.requests, m, talk.answered, got.stats)
		}
	}
}
