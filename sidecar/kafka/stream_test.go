package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// seen is a handler that remembers, and reads what it can.
type seen struct {
	names    *Interner
	id       string
	version  int16 // of the responses, by key
	key      int16
	headers  []RequestHeader
	produces []ProduceRequest
	results  []ProduceResponse
	topics   [][]NamedTopic
	errs     []error
	tokens   int
	due      bool
}

func (s *seen) Request(h *RequestHeader) Body {
	if h.APIKey != KeyProduce || h.APIVersion < ProduceOldest || h.APIVersion > ProduceLatest {
		return nil
	}
	return new(ProduceRequest).Begin(h.APIVersion, s.names, &HeaderReader{MessageID: s.id, Contexts: s.id != ""})
}

func (s *seen) RequestDone(h *RequestHeader, b Body, err error) {
	s.headers = append(s.headers, *h)
	s.errs = append(s.errs, err)
	if p, ok := b.(*ProduceRequest); ok && err == nil {
		s.produces = append(s.produces, *p)
	}
}

func (s *seen) Response(int32) Body {
	switch s.key {
	case KeyProduce:
		return new(ProduceResponse).Begin(s.version, s.names)
	case KeyMetadata:
		return new(MetadataResponse).Begin(s.version, s.names)
	}
	return nil
}

func (s *seen) ResponseDone(id int32, b Body, err error) {
	s.errs = append(s.errs, err)
	if err != nil {
		return
	}
	switch b := b.(type) {
	case *ProduceResponse:
		s.results = append(s.results, *b)
	case *MetadataResponse:
		s.topics = append(s.topics, b.Topics)
	}
}

func (s *seen) TokenDone()                     { s.tokens++ }
func (s *seen) ExpectToken(int32) (bool, bool) { return s.due, false }

// checkProduce compares what was decoded with what kmsg encoded.
func checkProduce(t *testing.T, got *ProduceRequest, q *kmsg.ProduceRequest) {
	t.Helper()
	want := ""
	if q.TransactionID != nil {
		want = *q.TransactionID
	}
	if got.TransactionalID != want || got.Acks != q.Acks || got.TimeoutMS != q.TimeoutMillis {
		t.Fatalf("v%d prologue: %+v", q.Version, got)
	}
	i := 0
	for _, topic := range q.Topics {
		for _, part := range topic.Partitions {
			if i == len(got.Partitions) {
				t.Fatalf("v%d: only %d partitions", q.Version, i)
			}
			p := got.Partitions[i]
			i++
			if p.Topic != topic.Topic && q.Version < 13 || p.TopicID != topic.TopicID || p.Partition != part.Partition || int(p.Bytes) != len(part.Records) {
				t.Fatalf("v%d partition %d: %+v", q.Version, i, p)
			}
			checkBatch(t, p, part.Records)
		}
	}
	if i != len(got.Partitions) {
		t.Fatalf("v%d: %d partitions too many", q.Version, len(got.Partitions)-i)
	}
}

func checkBatch(t *testing.T, p ProducePartition, records []byte) {
	t.Helper()
	var b kmsg.RecordBatch
	ok := len(records) >= BatchHeaderSize && b.ReadFrom(records) == nil && b.Magic == 2 &&
		int(b.Length)+12 == len(records) && b.NumRecords >= 0
	if ok != p.Whole {
		t.Fatalf("whole is %v, should be %v", p.Whole, ok)
	}
	if !ok {
		return
	}
	want := Batch{b.FirstOffset, b.Length + 12, uint32(b.CRC), b.Attributes, b.NumRecords, b.ProducerID, b.ProducerEpoch, b.FirstSequence}
	if p.Batch != want {
		t.Fatalf("batch %+v, should be %+v", p.Batch, want)
	}
}

func TestProduceRequestAgainstKmsg(t *testing.T) {
	r := newRand(t, 1)
	for version := ProduceOldest; version <= ProduceLatest; version++ {
		for range 150 {
			s := &seen{names: NewInterner()}
			if r.IntN(2) == 0 {
				s.id = "id"
			}
			var stream RequestStream
			var wire []byte
			var want []*kmsg.ProduceRequest
			for i := range 1 + r.IntN(3) {
				q := randomProduce(r, version)
				want = append(want, q)
				wire = append(wire, requestFrame(q, int32(i), "client")...)
			}
			for _, piece := range pieces(r, wire) {
				if n, err := stream.Feed(piece, 0, nil, s.names, s); err != nil || n != len(piece) {
					t.Fatal(n, err)
				}
			}
			if len(s.produces) != len(want) {
				t.Fatalf("v%d: %d of %d requests, %v", version, len(s.produces), len(want), s.errs)
			}
			for i, q := range want {
				checkProduce(t, &s.produces[i], q)
				if h := s.headers[i]; h.CorrelationID != int32(i) || h.ClientID != "client" || h.APIVersion != version {
					t.Fatalf("header %+v", h)
				}
			}
		}
	}
}

func TestOldProduceIsPassedOver(t *testing.T) {
	for version := int16(0); version < ProduceOldest; version++ {
		s := &seen{names: NewInterner()}
		var stream RequestStream
		wire := requestFrame(randomProduce(newRand(t, 3), version), 5, "c")
		if _, err := stream.Feed(wire, 0, nil, s.names, s); err != nil {
			t.Fatal(err)
		}
		if len(s.headers) != 1 || len(s.produces) != 0 || stream.Inside() {
			t.Fatalf("v%d: %+v", version, s)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	r := newRand(t, 4)
	for range 500 {
		b, ids := randomBatch(r)
		q := kmsg.NewPtrProduceRequest()
		q.SetVersion(3 + int16(r.IntN(11)))
		topic, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
		part.Records = b
		topic.Partitions = append(topic.Partitions, part)
		q.Topics = append(q.Topics, topic)
		s := &seen{names: NewInterner(), id: "id"}
		var stream RequestStream
		for _, piece := range pieces(r, requestFrame(q, 1, "c")) {
			if _, err := stream.Feed(piece, 0, nil, s.names, s); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.produces) != 1 {
			t.Fatal(s.errs)
		}
		if p := s.produces[0].Partitions[0]; p.HeadersFailed || !slices.Equal(p.MessageIDs, ids) {
			t.Fatalf("%v, should be %v, failed %v", p.MessageIDs, ids, p.HeadersFailed)
		}
	}
}

// A batch whose records are broken costs its ids, not the request.
func TestBrokenRecords(t *testing.T) {
	r := newRand(t, 5)
	for range 300 {
		body := make([]byte, 1+r.IntN(400))
		for i := range body {
			body[i] = byte(r.Uint32())
		}
		q := kmsg.NewPtrProduceRequest()
		q.SetVersion(3 + int16(r.IntN(11)))
		topic := kmsg.NewProduceRequestTopic()
		for i := range 2 {
			part := kmsg.NewProduceRequestTopicPartition()
			part.Partition = int32(i)
			part.Records = wrapBatch(0, 3, body)
			topic.Partitions = append(topic.Partitions, part)
		}
		q.Topics = append(q.Topics, topic)
		s := &seen{names: NewInterner(), id: "id"}
		var stream RequestStream
		for _, piece := range pieces(r, requestFrame(q, 1, "c")) {
			if _, err := stream.Feed(piece, 0, nil, s.names, s); err != nil {
				t.Fatal(err)
			}
		}
		if len(s.produces) != 1 || stream.Inside() {
			t.Fatal(s.errs)
		}
		checkProduce(t, &s.produces[0], q)
	}
}

func randomResult(r *rand.Rand, version int16) *kmsg.ProduceResponse {
	q := kmsg.NewPtrProduceResponse()
	q.SetVersion(version)
	q.ThrottleMillis = int32(r.IntN(10))
	for i := range r.IntN(4) {
		topic := kmsg.NewProduceResponseTopic()
		if version >= 13 {
			topic.TopicID = randomID(r)
		} else {
			topic.Topic = string(rune('a' + i))
		}
		for j := range r.IntN(4) {
			p := kmsg.NewProduceResponseTopicPartition()
			p.Partition, p.BaseOffset, p.LogAppendTime = int32(j), r.Int64(), -1
			p.ErrorCode = int16(r.IntN(3))
			for range r.IntN(3) {
				e := kmsg.NewProduceResponseTopicPartitionErrorRecord()
				if r.IntN(2) == 0 {
					e.ErrorMessage = kmsg.StringPtr("bad record")
				}
				p.ErrorRecords = append(p.ErrorRecords, e)
			}
			if r.IntN(2) == 0 {
				p.ErrorMessage = kmsg.StringPtr("message")
			}
			if version >= 10 && r.IntN(2) == 0 {
				p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = 3, 4
			}
			topic.Partitions = append(topic.Partitions, p)
		}
		q.Topics = append(q.Topics, topic)
	}
	return q
}

func TestProduceResponseAgainstKmsg(t *testing.T) {
	r := newRand(t, 6)
	for version := ProduceOldest; version <= ProduceLatest; version++ {
		for range 150 {
			s := &seen{names: NewInterner(), key: KeyProduce, version: version}
			q := randomResult(r, version)
			var stream ResponseStream
			for _, piece := range pieces(r, responseFrame(q, 9)) {
				if _, err := stream.Feed(piece, 0, nil, s); err != nil {
					t.Fatal(err)
				}
			}
			if len(s.results) != 1 {
				t.Fatalf("v%d: %v", version, s.errs)
			}
			want := []ProduceResult(nil)
			for _, topic := range q.Topics {
				for _, p := range topic.Partitions {
					name := topic.Topic
					if version >= 13 {
						name = ""
					}
					want = append(want, ProduceResult{name, topic.TopicID, p.Partition, p.ErrorCode, p.BaseOffset, p.LogAppendTime})
				}
			}
			if got := s.results[0]; got.ThrottleMS != q.ThrottleMillis || !slices.Equal(got.Partitions, want) {
				t.Fatalf("v%d: %+v, should be %+v", version, got, want)
			}
		}
	}
}

func randomMetadata(r *rand.Rand, version int16) *kmsg.MetadataResponse {
	q := kmsg.NewPtrMetadataResponse()
	q.SetVersion(version)
	q.ClusterID = kmsg.StringPtr("cluster")
	for i := range r.IntN(3) {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host = int32(i), "host.example"
		if r.IntN(2) == 0 {
			b.Rack = kmsg.StringPtr("rack")
		}
		q.Brokers = append(q.Brokers, b)
	}
	for i := range r.IntN(4) {
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic = kmsg.StringPtr(string(rune('a' + i)))
		topic.TopicID = randomID(r)
		topic.ErrorCode = int16(r.IntN(2))
		for range r.IntN(4) {
			p := kmsg.NewMetadataResponseTopicPartition()
			p.Replicas, p.ISR = make([]int32, r.IntN(4)), make([]int32, r.IntN(4))
			topic.Partitions = append(topic.Partitions, p)
		}
		q.Topics = append(q.Topics, topic)
	}
	return q
}

func TestMetadataResponseAgainstKmsg(t *testing.T) {
	r := newRand(t, 7)
	for version := MetadataOldest; version <= MetadataLatest; version++ {
		for range 150 {
			s := &seen{names: NewInterner(), key: KeyMetadata, version: version}
			q := randomMetadata(r, version)
			var stream ResponseStream
			for _, piece := range pieces(r, responseFrame(q, 9)) {
				if _, err := stream.Feed(piece, 0, nil, s); err != nil {
					t.Fatal(err)
				}
			}
			var want []NamedTopic
			for _, topic := range q.Topics {
				if topic.ErrorCode == 0 {
					want = append(want, NamedTopic{topic.TopicID, *topic.Topic})
				}
			}
			if len(s.topics) != 1 || !reflect.DeepEqual(append([]NamedTopic(nil), s.topics[0]...), want) {
				t.Fatalf("v%d: %v %v, should be %v", version, s.errs, s.topics, want)
			}
		}
	}
}

// What is said to be decoded never holds a byte of a record, a SASL token or
// a text, and a stream whose other bytes are zeroed reads the same.
func TestKeptBytesSufficeAndLeakNothing(t *testing.T) {
	r := newRand(t, 8)
	const mark = 0xEE
	for range 400 {
		version := 3 + int16(r.IntN(11))
		q := randomProduce(r, version)
		for i := range q.Topics {
			q.Topics[i].TopicID = [16]byte{1, 2}
			for j := range q.Topics[i].Partitions {
				if rec := q.Topics[i].Partitions[j].Records; len(rec) > BatchHeaderSize {
					for k := range rec[BatchHeaderSize:] {
						rec[BatchHeaderSize+k] = mark
					}
				}
			}
		}
		wire := requestFrame(q, 1, "c")
		a := &seen{names: NewInterner(), id: "id"}
		redacted := feedRedacted(t, r, wire, a)
		if bytes.Contains(redacted, []byte{mark, mark, mark}) { // a checksum may hold one or two
			t.Fatal("a record's byte was kept")
		}
		b := &seen{names: NewInterner()}
		again := feedRedacted(t, r, redacted, b)
		if !slices.Equal(redacted, again) {
			t.Fatal("redacting twice gives something else")
		}
		if len(b.produces) != 1 {
			t.Fatal(b.errs)
		}
		checkHeaders(t, &a.produces[0], &b.produces[0])
	}
}

// Of records that are no batch nothing is kept, however they are cut, but what
// came before that could be seen.
func TestNoBatchIsNotKept(t *testing.T) {
	r := newRand(t, 10)
	const mark, length, magic = 0xEE, 12, 16
	for n := range 600 {
		version := 3 + int16(r.IntN(11))
		part := kmsg.NewProduceRequestTopicPartition()
		part.Records = bytes.Repeat([]byte{mark}, 1+r.IntN(300))
		least := length // of them may have been kept
		if n%2 == 0 && len(part.Records) > magic {
			least = magic + 1
			binary.BigEndian.PutUint32(part.Records[8:], uint32(len(part.Records)-length))
			part.Records[magic] = byte(r.IntN(2)) // a message set of old
		}
		q := kmsg.NewPtrProduceRequest()
		q.SetVersion(version)
		topic := kmsg.NewProduceRequestTopic()
		topic.Partitions = append(topic.Partitions, part, part)
		topic.Partitions[1].Partition, topic.Partitions[1].Records = 1, makeBatch(0, []testRecord{{value: make([]byte, 40)}})
		q.Topics = append(q.Topics, topic)
		a, b := &seen{names: NewInterner()}, &seen{names: NewInterner()}
		redacted := feedRedacted(t, r, requestFrame(q, 1, "c"), a)
		if kept := bytes.Count(redacted, []byte{mark}); kept > least {
			t.Fatalf("v%d: %d of %d bytes of no batch were kept", version, kept, len(part.Records))
		}
		feedRedacted(t, r, redacted, b)
		if len(a.produces) != 1 || len(b.produces) != 1 || a.produces[0].Partitions[0].Whole || !a.produces[0].Partitions[1].Whole {
			t.Fatalf("v%d: %v %v", version, a.errs, b.errs)
		}
		checkHeaders(t, &a.produces[0], &b.produces[0])
	}
}

func checkHeaders(t *testing.T, a, b *ProduceRequest) {
	t.Helper()
	if len(a.Partitions) != len(b.Partitions) || a.Acks != b.Acks {
		t.Fatal("the redacted request reads differently")
	}
	for i := range a.Partitions {
		x, y := a.Partitions[i], b.Partitions[i]
		x.HeadersFailed, x.MessageIDs = false, nil
		if !reflect.DeepEqual(x, y) {
			t.Fatalf("redacted %+v, original %+v", y, x)
		}
	}
}

func feedRedacted(t *testing.T, r *rand.Rand, wire []byte, s RequestHandler) []byte {
	t.Helper()
	var out []byte
	var stream RequestStream
	var k Kept
	for _, piece := range pieces(r, wire) {
		k.Reset()
		if _, err := stream.Feed(piece, 0, &k, NewInterner(), s); err != nil {
			t.Fatal(err)
		}
		clean := make([]byte, len(piece))
		for _, x := range k.Ranges {
			copy(clean[x.From:x.To], piece[x.From:x.To])
		}
		out = append(out, clean...)
	}
	return out
}

func TestNotKafka(t *testing.T) {
	for _, first := range []string{"GET / HTTP/1.1\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x00\x00\x00\x05hello", "\x00\x00\x00\x40\x00\xff\x00\x00\x00\x00\x00\x00\x00\x00"} {
		s := &seen{names: NewInterner()}
		var stream RequestStream
		if n, err := stream.Feed([]byte(first), 0, nil, s.names, s); !errors.Is(err, ErrNotFrame) || n != 0 {
			t.Errorf("%q: %d, %v", first, n, err)
		}
	}
}

func TestRawTokens(t *testing.T) {
	s := &seen{names: NewInterner()}
	stream := RequestStream{Raw: true}
	wire := []byte("\x00\x00\x00\x0c\x00user\x00secret\x00\x00\x00\x00")
	wire = append(wire, requestFrame(randomProduce(newRand(t, 9), 9), 3, "c")...)
	var k Kept
	if _, err := stream.Feed(wire, 0, &k, s.names, s); err != nil {
		t.Fatal(err)
	}
	if s.tokens != 2 || len(s.produces) != 1 || stream.Raw {
		t.Fatalf("%+v", s)
	}
	for _, x := range k.Ranges {
		if x.From < 16 && x.To > 4 {
			t.Fatalf("kept %v of a token", x)
		}
	}
}

// Bytes that are missed inside a batch cost nothing but its message ids.
func TestLostInsideRecords(t *testing.T) {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(9)
	topic, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.Topic = "t"
	part.Records = makeBatch(0, []testRecord{{value: make([]byte, 40)}, {value: make([]byte, 40)}})
	topic.Partitions = append(topic.Partitions, part)
	q.Topics = append(q.Topics, topic)
	wire := requestFrame(q, 1, "c")
	for _, id := range []string{"", "id"} {
		s := &seen{names: NewInterner(), id: id}
		var stream RequestStream
		cut := len(wire) - 60
		stream.Feed(wire[:cut], 0, nil, s.names, s)
		if !stream.Lost(20) {
			t.Fatal("the loss was not survived")
		}
		if _, err := stream.Feed(wire[cut+20:], 0, nil, s.names, s); err != nil {
			t.Fatal(err)
		}
		if len(s.produces) != 1 {
			t.Fatal(s.errs)
		}
		checkProduce(t, &s.produces[0], q)
		if p := s.produces[0].Partitions[0]; p.MessageIDs != nil || p.HeadersFailed != (id != "") {
			t.Fatalf("%+v", p)
		}
	}
	var stream RequestStream
	s := &seen{names: NewInterner()}
	stream.Feed(wire[:30], 0, nil, s.names, s)
	if stream.Lost(len(wire)) {
		t.Fatal("a loss beyond the frame was taken for harmless")
	}
}
