package kafka

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// reuse is a handler that decodes into the same storage.
type reuse struct {
	names   *Interner
	headers *HeaderReader
	request ProduceRequest
	done    int
}

func (u *reuse) Request(h *RequestHeader) Body {
	return u.request.Begin(h.APIVersion, u.names, u.headers)
}

func (u *reuse) RequestDone(_ *RequestHeader, _ Body, err error) {
	if err == nil {
		u.done++
	}
}

func (u *reuse) TokenDone() {}

func benchFrame(version int16, partitions, valueSize int) []byte {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(version)
	q.Acks = 1
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.TopicID = "orders", [16]byte{1}
	for i := range partitions {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition = int32(i)
		p.Records = makeBatch(0, []testRecord{{value: make([]byte, valueSize), headers: [][2]string{{"id", "message-1"}}}})
		topic.Partitions = append(topic.Partitions, p)
	}
	q.Topics = append(q.Topics, topic)
	return requestFrame(q, 1, "producer-1")
}

// BenchmarkProduceRequest is frame → fields, against kmsg on the same frame.
func BenchmarkProduceRequest(b *testing.B) {
	for _, c := range []struct {
		name       string
		version    int16
		partitions int
	}{{"v9x1", 9, 1}, {"v13x1", 13, 1}, {"v7x1", 7, 1}, {"v13x200", 13, 200}} {
		wire := benchFrame(c.version, c.partitions, 300)
		b.Run(c.name+"/tailspan", func(b *testing.B) { benchDecode(b, wire, &reuse{names: NewInterner()}, nil) })
		b.Run(c.name+"/tailspan-kept", func(b *testing.B) { benchDecode(b, wire, &reuse{names: NewInterner()}, &Kept{}) })
		b.Run(c.name+"/kmsg", func(b *testing.B) { benchKmsg(b, wire, c.version, (*kmsg.ProduceRequest).ReadFrom) })
		b.Run(c.name+"/kmsg-unsafe", func(b *testing.B) { benchKmsg(b, wire, c.version, (*kmsg.ProduceRequest).UnsafeReadFrom) })
	}
}

func benchDecode(b *testing.B, wire []byte, u *reuse, k *Kept) {
	b.ReportAllocs()
	var stream RequestStream
	for b.Loop() {
		if k != nil {
			k.Reset()
		}
		if _, err := stream.Feed(wire, 0, k, u.names, u); err != nil {
			b.Fatal(err)
		}
	}
	if u.done != b.N {
		b.Fatal(u.done, b.N)
	}
}

// benchKmsg reads the body, and the batch headers with kmsg's own reader. The
// request's header and client id are left out, in kmsg's favour; so are, with
// the unsafe reader, the strings, which then lie in the frame.
func benchKmsg(b *testing.B, wire []byte, version int16, read func(*kmsg.ProduceRequest, []byte) error) {
	b.ReportAllocs()
	for b.Loop() {
		readKmsg(b, wire, version, read)
	}
}

func readKmsg(b *testing.B, wire []byte, version int16, read func(*kmsg.ProduceRequest, []byte) error) {
	body := wire[requestFixed+len("producer-1"):]
	if version >= 9 {
		body = body[1:] // the header's tags
	}
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(version)
	if err := read(q, body); err != nil {
		b.Fatal(err)
	}
	for i := range q.Topics[0].Partitions {
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(q.Topics[0].Partitions[i].Records); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProduceRatio is body → fields on both sides, in alternation: our
// least time as a multiple of that of each of kmsg's readers.
func BenchmarkProduceRatio(b *testing.B) {
	for _, version := range []int16{7, 9, 13} {
		b.Run(fmt.Sprintf("v%dx1", version), func(b *testing.B) {
			wire := benchFrame(version, 1, 300)
			body := wire[requestFixed+len("producer-1"):]
			u, header, f := &reuse{names: NewInterner()}, &RequestHeader{APIVersion: version}, feed{}
			ours := func() {
				f.begin(u.Request(header), len(body))
				f.push(body, nil, 0)
				if f.end() != nil || len(u.request.Partitions) != 1 || !u.request.Partitions[0].Whole {
					b.Fatal(f.end())
				}
			}
			if n := testing.AllocsPerRun(100, ours); n != 0 {
				b.Fatalf("%v allocations", n)
			}
			took := [3]time.Duration{time.Hour, time.Hour, time.Hour} // the least: all else was not ours
			for b.Loop() {
				took[0] = min(took[0], many(ours))
				took[1] = min(took[1], many(func() { readKmsg(b, wire, version, (*kmsg.ProduceRequest).ReadFrom) }))
				took[2] = min(took[2], many(func() { readKmsg(b, wire, version, (*kmsg.ProduceRequest).UnsafeReadFrom) }))
			}
			b.ReportMetric(float64(took[0])/float64(took[1]), "of-kmsg")
			b.ReportMetric(float64(took[0])/float64(took[2]), "of-kmsg-unsafe")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func many(f func()) time.Duration {
	begin := time.Now()
	for range 1000 {
		f()
	}
	return time.Since(begin)
}

// BenchmarkMessageIDs is the same with the records walked for one header.
func BenchmarkMessageIDs(b *testing.B) {
	benchDecode(b, benchFrame(9, 1, 300), &reuse{names: NewInterner(), headers: &HeaderReader{MessageID: "id"}}, nil)
}
