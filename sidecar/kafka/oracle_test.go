package kafka

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// What the tests build frames with: kmsg, which decodes and encodes every
// version and is trusted here as the oracle.

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// testRecord is one record to be put into a batch.
type testRecord struct {
	key, value []byte
	headers    [][2]string
}

// makeBatch encodes a record batch of magic 2.
func makeBatch(attributes int16, records []testRecord) []byte {
	var body []byte
	for i, r := range records {
		kr := kmsg.Record{OffsetDelta: int32(i), TimestampDelta64: int64(i), Key: r.key, Value: r.value}
		for _, h := range r.headers {
			kr.Headers = append(kr.Headers, kmsg.Header{Key: h[0], Value: []byte(h[1])})
		}
		kr.Length = int32(len(kr.AppendTo(nil)) - 1) // of a length that takes one byte
		body = kr.AppendTo(body)
	}
	return wrapBatch(attributes, len(records), body)
}

// wrapBatch puts a header before encoded records.
func wrapBatch(attributes int16, records int, body []byte) []byte {
	b := kmsg.RecordBatch{
		FirstOffset: 0, Length: int32(49 + len(body)), PartitionLeaderEpoch: -1, Magic: 2,
		Attributes: attributes, LastOffsetDelta: int32(records - 1), FirstTimestamp: 1700000000000,
		MaxTimestamp: 1700000000001, ProducerID: 4242, ProducerEpoch: 3, FirstSequence: 77,
		NumRecords: int32(records), Records: body,
	}
	out := b.AppendTo(nil)
	crc := crc32.Checksum(out[21:], castagnoli)
	binary.BigEndian.PutUint32(out[17:], crc)
	return out
}

// randomBatch has up to five records, some with a header "id".
func randomBatch(r *rand.Rand) ([]byte, []string) {
	var recs []testRecord
	var ids []string
	for i := range 1 + r.IntN(5) {
		rec := testRecord{key: make([]byte, r.IntN(3)), value: make([]byte, r.IntN(20))}
		if r.IntN(2) == 0 {
			rec.headers = append(rec.headers, [2]string{"zz", "other"})
		}
		if r.IntN(2) == 0 {
			id := fmt.Sprint("m", i)
			rec.headers = append(rec.headers, [2]string{"id", id})
			ids = append(ids, id)
		}
		recs = append(recs, rec)
	}
	return makeBatch(0, recs), ids
}

func randomID(r *rand.Rand) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64()|1)
	return id
}

func randomProduce(r *rand.Rand, version int16) *kmsg.ProduceRequest {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(version)
	q.Acks = int16(r.IntN(3) - 1)
	q.TimeoutMillis = 30000
	if r.IntN(3) == 0 {
		q.TransactionID = kmsg.StringPtr("tx-1")
	}
	for i := range r.IntN(4) {
		t := kmsg.NewProduceRequestTopic()
		if version >= 13 {
			t.TopicID = randomID(r)
		} else {
			t.Topic = fmt.Sprint("topic-", i)
		}
		for j := range r.IntN(4) {
			p := kmsg.NewProduceRequestTopicPartition()
			p.Partition = int32(j)
			switch r.IntN(8) {
			case 0:
				p.Records = nil
			case 1:
				p.Records = make([]byte, r.IntN(100))
			default:
				p.Records, _ = randomBatch(r)
			}
			t.Partitions = append(t.Partitions, p)
		}
		q.Topics = append(q.Topics, t)
	}
	if version >= 9 && r.IntN(3) == 0 {
		q.UnknownTags.Set(9, []byte("tagged"))
	}
	return q
}

// requestFrame encodes header and body.
func requestFrame(q kmsg.Request, correlationID int32, clientID string) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, q, correlationID)
}

// responseFrame encodes header and body.
func responseFrame(q kmsg.Response, correlationID int32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(correlationID))
	if q.IsFlexible() && q.Key() != KeyAPIVersions {
		b = append(b, 0)
	}
	b = q.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// pieces cuts b at random places.
func pieces(r *rand.Rand, b []byte) [][]byte {
	var out [][]byte
	most := []int{1, 7, 100, 1 << 20}[r.IntN(4)]
	for len(b) > 0 {
		n := min(1+r.IntN(most), len(b))
		out = append(out, b[:n])
		b = b[n:]
	}
	return out
}

func newRand(t testing.TB, seed uint64) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}
