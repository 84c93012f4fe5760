package e2e

import (
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/sidecar/assemble"
	kafkabytes "github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/segment"
)

// headersAgree reads the message ids of a log from its segments, and as a
// consumer gets them.
func (s *stage) headersAgree(t *testing.T, topic string) {
	logs, err := segment.OpenLogs(s.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	var ids messageIDs
	reader, codecs, end := &kafkabytes.HeaderReader{MessageID: "message-id"}, map[string]int{}, int64(0)
	files, _ := filepath.Glob(filepath.Join(s.LogDir, topic+"-0", "*.log"))
	for _, path := range files {
		f, err := segment.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		err = f.Each(0, math.MaxInt64, func(b segment.Batch) bool {
			budget := kafkabytes.Budget{Bytes: 1 << 20, Records: 1 << 16, Time: time.Second}
			if err := errors.Join(f.Check(b), f.Headers(b, reader, &budget, &ids)); err != nil {
				t.Fatal(err)
			}
			codecs[kafkabytes.Codec(b.Attributes)]++
			end = b.LastOffset + 1
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	cl := s.client(t, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().AtStart()}}))
	var consumed messageIDs
	for next := int64(0); next < end; {
		fetched := cl.PollFetches(t.Context())
		if err := fetched.Err(); err != nil {
			t.Fatal(err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			for _, h := range r.Headers {
				consumed = append(consumed, string(h.Value))
			}
		})
	}
	t.Logf("%d message ids in batches %v", len(ids), codecs)
	if len(ids) == 0 || !slices.Equal(ids, consumed) {
		t.Errorf("%d ids read from the segments, %d consumed", len(ids), len(consumed))
	}
}

// messageIDs collects those of records.
type messageIDs []string

func (m *messageIDs) Record(h *kafkabytes.RecordHeaders) { *m = append(*m, string(h.MessageID)) }

// dumpAgrees holds the same joined rows to what DumpLogSegments says.
func (s *stage) dumpAgrees(t *testing.T, file string, found report.Verification) {
	segments, err := s.Kafka.DumpLogDir(t.Context(), s.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	joined, err := tailspan.Replay[assemble.JoinedRow](t.Context(), s.Bin, filepath.Join(s.Dir, "replay.log"), file, "joined")
	if err != nil {
		t.Fatal(err)
	}
	same, other, gone := uint64(0), uint64(0), uint64(0)
	codecs, topics := map[string]int{}, map[string]int{}
	for _, row := range joined {
		if row.Topic != s.Topic {
			topics[row.Topic]++
		}
		b, ok := batchAt(segments[row.File], row.Offset)
		switch {
		case ok && b.Valid && b.Size == row.Bytes && (row.BaseOffset == nil || *row.BaseOffset == b.BaseOffset):
			codecs[b.Codec]++
			if b.CRC == row.CRC {
				same++
			} else {
				other++
			}
		default:
			gone++
		}
	}
	t.Logf("%d rows: %d as sent, %d rewritten, %d not there; %v; of 150 batches of each topic joined: %v",
		len(joined), same, other, gone, codecs, topics)
	if same+other < found.Verified || other < found.Rewritten || gone > found.Unverifiable {
		t.Errorf("verify says %+v", found)
	}
	for _, topic := range []string{"again", "stamped", "packed"} {
		if topics[topic] != 150 {
			t.Errorf("%d batches of %s are joined, 150 were written", topics[topic], topic)
		}
	}
	if len(codecs) != 5 {
		t.Errorf("codecs %v, want all five", codecs)
	}
}

func batchAt(batches []kafka.Batch, position int64) (kafka.Batch, bool) {
	for _, b := range batches {
		if b.Position == position {
			return b, true
		}
	}
	return kafka.Batch{}, false
}
