package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// benchBatch is a batch of records, each with a trace context and an id.
func benchBatch(b testing.TB, c testCodec, records, value int) []byte {
	r := newRand(b, 31)
	var recs []testRecord
	for range records {
		var v []byte // compresses to about a third
		for len(v) < value {
			v = fmt.Appendf(v, `{"order":%d,"customer":"c-%d","amount":%d.%02d},`, r.IntN(1e9), r.IntN(1e6), r.IntN(1e4), r.IntN(100))
		}
		v = v[:value]
		recs = append(recs, testRecord{value: v, headers: [][2]string{
			{"content-type", "application/json"}, {"id", fmt.Sprint(r.Uint64())}, {"traceparent", traceparentOf(randomContext(r))}}})
	}
	return wrapBatch(c.attributes, records, c.compress(b, encodeRecords(recs)))
}

func frameAround(records []byte) []byte {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(9)
	q.Acks = 1
	topic, p := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic, p.Records = "orders", records
	topic.Partitions = append(topic.Partitions, p)
	q.Topics = append(q.Topics, topic)
	return requestFrame(q, 1, "producer-1")
}

// BenchmarkHeaders is frame → fields of one partition: without records,
// with contexts, with contexts and message ids.
func BenchmarkHeaders(b *testing.B) {
	for _, s := range []struct{ records, value int }{{1, 1000}, {10, 150}, {100, 1000}} {
		for _, c := range testCodecs {
			wire := frameAround(benchBatch(b, c, s.records, s.value))
			for _, x := range []struct {
				name string
				r    *HeaderReader
			}{{"off", nil}, {"contexts", &HeaderReader{Contexts: true, Clock: nanotime}}, {"both", &HeaderReader{Contexts: true, MessageID: "id", Clock: nanotime}}} {
				if x.r == nil && c.name != "none" {
					continue // the same for all
				}
				b.Run(fmt.Sprintf("%dx%d/%s/%s", s.records, s.value, c.name, x.name), func(b *testing.B) {
					u := &reuse{names: NewInterner(), headers: x.r}
					benchDecode(b, wire, u, nil)
					list, omitted := u.request.Contexts()
					if x.r != nil && (len(list)+omitted != s.records && !u.request.HeadersCut || u.request.Partitions[0].HeadersFailed) {
						b.Fatal(len(list), omitted, u.request.HeadersCut, u.request.Partitions[0])
					}
				})
			}
		}
	}
}

// BenchmarkKmsgRecords is the uncompressed batch with kmsg's reader.
func BenchmarkKmsgRecords(b *testing.B) {
	batch := benchBatch(b, testCodecs[0], 100, 1000)[BatchHeaderSize:]
	b.ReportAllocs()
	for b.Loop() {
		if rows, n := kmsgHeaders(batch, 100); n != 100 || len(rows) != 100 {
			b.Fatal(n, len(rows))
		}
	}
}
