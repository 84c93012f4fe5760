package clients

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// TestLibraries: each library's record agrees with the log, whatever the acks,
// the codec, the topic, idempotent or in transactions.
func TestLibraries(t *testing.T) {
	s, base := stage(t)
	ran := map[string][]Sent{}
	for i, client := range []Client{Java, Librdkafka, FranzGo, Sarama} {
		plain := base
		plain.Client, plain.Count, plain.Acks, plain.Codec = client, 200, 1, Codecs[1+i]
		plain.ClientID = string(client) + "-plain"
		plain.Topics = append(plainTopics(plain.ClientID), rewriting(plain.ClientID)...)

		unacked := base
		unacked.Client, unacked.Count, unacked.BatchBytes = client, 50, 1
		unacked.ClientID, unacked.Topics = string(client)+"-unacked", plainTopics(string(client)+"-unacked")

		idempotent := base
		idempotent.Client, idempotent.Count, idempotent.Idempotent, idempotent.BatchBytes = client, 50, true, 1
		idempotent.ClientID, idempotent.Topics = string(client)+"-idempotent", plainTopics(string(client)+"-idempotent")

		transactional := base
		transactional.Client, transactional.Count, transactional.Transactions, transactional.Codec = client, 35, 10, "lz4"
		transactional.ClientID = string(client) + "-transactional"
		transactional.Topics = plainTopics(transactional.ClientID)

		for _, o := range []Options{plain, unacked, idempotent, transactional} {
			ran[o.ClientID] = mustRun(t, o)
			if n := len(ran[o.ClientID]); n != o.Count {
				t.Errorf("%s: %d records, want %d", o.ClientID, n, o.Count)
			}
		}
	}
	log := dump(t, s)
	for id, sent := range ran {
		t.Run(id, func(t *testing.T) { checkRecords(t, log, sent) })
	}
}

// checkRecords: every acknowledged record has an offset of its own, inside a
// valid batch of its codec; and the log holds nothing beside them but the
// markers of transactions.
func checkRecords(t *testing.T, log logged, sent []Sent) {
	offsets := map[string][]int64{}
	for i := range sent {
		r := &sent[i]
		partition := fmt.Sprintf("%s-%d", r.Topic, r.Partition)
		if r.Failed() || r.AckNS == nil || *r.AckNS < r.SentNS {
			t.Fatalf("not acknowledged in order: %+v", r)
		}
		if r.Parents[0] != TraceparentOf(r.MessageIDs[0]) {
			t.Fatalf("traceparent of %s is %s", r.MessageIDs[0], r.Parents[0])
		}
		if r.Acks == 0 {
			if r.Offset != nil {
				t.Fatalf("an offset without acks: %+v", r)
			}
			offsets[partition] = append(offsets[partition], int64(len(offsets[partition])))
			continue
		}
		b := log.at(partition, *r.Offset)
		if b == nil || !b.Valid {
			t.Fatalf("no valid batch holds %+v", r)
		}
		asIs := b.Codec == "none" && (r.Client == Librdkafka || r.Client == FranzGo) // what does not shrink
		if !rewritten(r.Topic) && b.Codec != r.Codec && !asIs {
			t.Errorf("%s@%d is %s, was sent as %s", partition, *r.Offset, b.Codec, r.Codec)
		}
		offsets[partition] = append(offsets[partition], *r.Offset)
	}
	for partition, got := range offsets {
		slices.Sort(got)
		if n := len(slices.Compact(slices.Clone(got))); n != len(got) {
			t.Errorf("%s: %d offsets for %d records", partition, n, len(got))
		}
		batches := log[partition]
		if len(batches) == 0 {
			t.Errorf("%s: nothing in the log", partition)
			continue
		}
		last := batches[len(batches)-1]
		if sent[0].TransactionID == "" && (got[0] != 0 || got[len(got)-1] != int64(len(got)-1) || last.BaseOffset > got[len(got)-1]) {
			t.Errorf("%s: offsets %d to %d of %d records, the last batch is at %d", partition, got[0], got[len(got)-1], len(got), last.BaseOffset)
		}
		if sent[0].TransactionID != "" {
			checkMarkers(t, partition, batches, got)
		}
	}
}

// controlBatch is the size of a batch with one transaction marker.
const controlBatch = 78

// checkMarkers: each batch without a record of ours is a marker.
func checkMarkers(t *testing.T, partition string, batches []kafka.Batch, offsets []int64) {
	markers := 0
	for _, b := range batches {
		if _, ours := slices.BinarySearch(offsets, b.BaseOffset); !ours {
			markers++
			if b.Size != controlBatch {
				t.Errorf("%s@%d: %d bytes that nobody sent", partition, b.BaseOffset, b.Size)
			}
		}
	}
	if markers == 0 {
		t.Errorf("%s: no transaction marker", partition)
	}
}
