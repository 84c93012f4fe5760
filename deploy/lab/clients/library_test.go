package clients

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// TestLibraries: each library's record agrees with the log, whatever the acks,
// the codec, the topic, idempotent or in transactions.
func TestLibraries(t *testing.T) {
	t.Parallel()
	s, base := stage(t)
	var mu sync.Mutex
	ran := map[string][]Sent{}
	t.Run("send", func(t *testing.T) {
		for i, client := range []Client{Java, Librdkafka, FranzGo, Sarama} {
			t.Run(string(client), func(t *testing.T) {
				t.Parallel()
				for _, o := range libraryRuns(base, client, Codecs[1+i]) {
					sent := mustRun(t, o)
					if len(sent) != o.Count {
						t.Errorf("%s: %d records, want %d", o.ClientID, len(sent), o.Count)
					}
					mu.Lock()
					ran[o.ClientID] = sent
					mu.Unlock()
				}
			})
		}
	})
	log := dump(t, s)
	for id, sent := range ran {
		t.Run(id, func(t *testing.T) { checkRecords(t, log, sent) })
	}
}

func libraryRuns(base Options, client Client, codec string) []Options {
	run := func(suffix string, count int) Options {
		o := base
		o.Client, o.Count, o.ClientID = client, count, string(client)+"-"+suffix
		o.Topics = plainTopics(o.ClientID)
		return o
	}
	plain, unacked, idempotent, transactional := run("plain", 200), run("unacked", 50), run("idempotent", 50), run("transactional", 35)
	plain.Acks, plain.Codec, plain.Topics = 1, codec, append(plain.Topics, rewriting(plain.ClientID)...)
	unacked.BatchBytes = 1
	idempotent.Idempotent, idempotent.BatchBytes = true, 1
	transactional.Transactions, transactional.Codec = 10, "lz4"
	return []Options{plain, unacked, idempotent, transactional}
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
