package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A made-up conversation between clients and a broker, as packets.

var (
	brokerAddr = netip.MustParseAddrPort("10.0.0.9:9292")
	secret     = []byte("s3cr3t-mark-") // in every value, key and token
)

// wirePacket builds a raw IPv4 packet.
func wirePacket(src, dst netip.AddrPort, seq, ack uint32, flags byte, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[8], b[9] = 0x45, 64, protoTCP
	total := 40 + len(payload)
	if total <= 0xffff {
		binary.BigEndian.PutUint16(b[2:], uint16(total)) // else 0, as in a packet of large offload
	}
	copy(b[12:], src.Addr().AsSlice())
	copy(b[16:], dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[20:], src.Port())
	binary.BigEndian.PutUint16(b[22:], dst.Port())
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ack)
	b[32], b[33] = 5<<4, flags
	return append(b, payload...)
}

// talk is one connection being written down.
type talk struct {
	r              *rand.Rand
	client, broker netip.AddrPort
	seq            [2]uint32 // client's, broker's
	at             *int64
	packets        []Packet
	version        int16
	correlation    int32
	id             string
	requests       int // produce requests sent
	answered       int
	fetches        int  // followers' requests
	old            int  // produce requests of v0 to v2
	whole          bool // the next frame goes in one segment
}

func newTalk(r *rand.Rand, n int, at *int64) *talk {
	t := &talk{
		r: r, client: netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), uint16(40000+n)),
		broker: brokerAddr, at: at, version: int16(3 + r.IntN(11)), id: fmt.Sprintf("client-%d", n),
	}
	t.seq = [2]uint32{r.Uint32(), 0xffffff00 + r.Uint32N(256)} // the broker's wraps soon
	return t
}

func (t *talk) packet(fromBroker bool, flags byte, payload []byte) {
	src, dst, i := t.client, t.broker, 0
	if fromBroker {
		src, dst, i = t.broker, t.client, 1
	}
	*t.at += 1000 + t.r.Int64N(100_000)
	data := wirePacket(src, dst, t.seq[i], t.seq[1-i], flags, payload)
	t.packets = append(t.packets, Packet{Unix: *t.at, LinkType: LinkRaw, Data: data, WireLength: len(data)})
	t.seq[i] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		t.seq[i]++
	}
}

func (t *talk) open() {
	t.packet(false, flagSYN, nil)
	t.packet(true, flagSYN|flagACK, nil)
	t.packet(false, flagACK, nil)
}

func (t *talk) close() {
	t.packet(false, flagFIN|flagACK, nil)
	t.packet(true, flagFIN|flagACK, nil)
	t.packet(false, flagACK, nil)
}

// send writes bytes in random segments.
func (t *talk) send(fromBroker bool, b []byte) {
	most := []int{3, 50, 1448, 70000}[t.r.IntN(4)]
	if len(b) > 5000 {
		most = 70000
	}
	if t.whole {
		t.packet(fromBroker, flagACK, b)
		t.whole = false
		return
	}
	for len(b) > 0 {
		n := min(len(b), 1+t.r.IntN(most))
		t.packet(fromBroker, flagACK, b[:n])
		b = b[n:]
		if t.r.IntN(4) == 0 {
			t.packet(!fromBroker, flagACK, nil)
		}
	}
}

// call sends a request, and what the broker answers.
func (t *talk) call(q kmsg.Request, answer kmsg.Response) {
	t.send(false, kmsg.NewRequestFormatter(kmsg.FormatterClientID(t.id)).AppendRequest(nil, q, t.correlation))
	if answer != nil {
		answer.SetVersion(q.GetVersion())
		t.send(true, t.response(answer, t.correlation))
	}
	t.correlation++
}

func (t *talk) response(a kmsg.Response, correlation int32) []byte {
	b := binary.BigEndian.AppendUint32(nil, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	if a.IsFlexible() && a.Key() != 18 {
		b = append(b, 0)
	}
	b = a.AppendTo(b)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// sasl logs in with bare tokens, as after a SaslHandshake v0.
func (t *talk) sasl() {
	q := kmsg.NewPtrSASLHandshakeRequest()
	q.Mechanism = "PLAIN"
	t.call(q, kmsg.NewPtrSASLHandshakeResponse())
	token := append([]byte("\x00user\x00"), secret...)
	t.send(false, append(binary.BigEndian.AppendUint32(nil, uint32(len(token))), token...))
	t.send(true, []byte{0, 0, 0, 0})
	t.whole = true // a header in pieces would be taken for another token
}

// saslAuthenticate logs in with requests.
func (t *talk) saslAuthenticate() {
	h := kmsg.NewPtrSASLHandshakeRequest()
	h.Version = 1
	t.call(h, kmsg.NewPtrSASLHandshakeResponse())
	q := kmsg.NewPtrSASLAuthenticateRequest()
	q.Version, q.SASLAuthBytes = 2, slices.Clone(secret)
	a := kmsg.NewPtrSASLAuthenticateResponse()
	a.SASLAuthBytes = slices.Clone(secret)
	t.call(q, a)
}

func (t *talk) metadata() {
	q := kmsg.NewPtrMetadataRequest()
	q.Version = 12
	a := kmsg.NewPtrMetadataResponse()
	topic := kmsg.NewMetadataResponseTopic()
	topic.Topic, topic.TopicID = kmsg.StringPtr("by-id"), [16]byte{7}
	a.Topics = append(a.Topics, topic)
	t.call(q, a)
}

// fetch answers with records.
func (t *talk) fetch() {
	q := kmsg.NewPtrFetchRequest()
	q.Version = 11
	a := kmsg.NewPtrFetchResponse()
	topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	part.RecordBatches = bytes.Repeat(secret, 40)
	topic.Topic = "read"
	topic.Partitions = append(topic.Partitions, part)
	a.Topics = append(a.Topics, topic)
	t.call(q, a)
}

// follower fetches as another broker does, and is answered with records.
func (t *talk) follower() {
	q := kmsg.NewPtrFetchRequest()
	q.Version = int16(4 + t.r.IntN(15))
	q.ReplicaID, q.ReplicaState.ID, q.ReplicaState.Epoch = 2, 2, 1
	a := kmsg.NewPtrFetchResponse()
	for i := range t.r.IntN(3) {
		qt, qp := kmsg.NewFetchRequestTopic(), kmsg.NewFetchRequestTopicPartition()
		qt.Topic, qt.TopicID = fmt.Sprint("topic-", i), [16]byte{7}
		qp.Partition, qp.FetchOffset = int32(i), int64(100*t.correlation)+int64(i)
		qt.Partitions = append(qt.Partitions, qp)
		q.Topics = append(q.Topics, qt)
		at, ap := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
		at.Topic, at.TopicID = qt.Topic, qt.TopicID
		ap.RecordBatches = bytes.Repeat(secret, 1+t.r.IntN(300))
		at.Partitions = append(at.Partitions, ap)
		a.Topics = append(a.Topics, at)
	}
	q.Rack = string(secret)
	t.fetches++
	t.call(q, a)
}

// oldProduce sends a request that is older than what is read, with or without
// an answer.
func (t *talk) oldProduce() {
	q, a := t.produceRequest()
	q.Version, a.Version = int16(t.r.IntN(3)), 0
	t.old++
	if q.Acks == 0 {
		t.call(q, nil)
		return
	}
	t.call(q, a)
}

// produce sends one request, up to 120 KB, and its answer.
func (t *talk) produce(pipelined int) {
	var answers []byte
	for range pipelined {
		q, a := t.produceRequest()
		q.SetVersion(t.version)
		a.SetVersion(t.version)
		t.send(false, kmsg.NewRequestFormatter(kmsg.FormatterClientID(t.id)).AppendRequest(nil, q, t.correlation))
		t.requests++
		if q.Acks != 0 {
			answers = append(answers, t.response(a, t.correlation)...)
			t.answered++
		}
		t.correlation++
	}
	if len(answers) > 0 {
		t.send(true, answers)
	}
}

func (t *talk) produceRequest() (*kmsg.ProduceRequest, *kmsg.ProduceResponse) {
	q, a := kmsg.NewPtrProduceRequest(), kmsg.NewPtrProduceResponse()
	q.Acks = int16(t.r.IntN(3) - 1)
	q.TimeoutMillis = 30000
	for i := range 1 + t.r.IntN(2) {
		qt, at := kmsg.NewProduceRequestTopic(), kmsg.NewProduceResponseTopic()
		qt.Topic, qt.TopicID = fmt.Sprint("topic-", i), [16]byte{7}
		at.Topic, at.TopicID = qt.Topic, qt.TopicID
		for j := range 1 + t.r.IntN(3) {
			qp, ap := kmsg.NewProduceRequestTopicPartition(), kmsg.NewProduceResponseTopicPartition()
			qp.Partition, ap.Partition = int32(j), int32(j)
			size := []int{1, 5, 3000}[t.r.IntN(3)]
			qp.Records = talkBatch(t.r.Uint32(), size, fmt.Sprintf("id-%d-%d", t.correlation, j))
			ap.BaseOffset = t.r.Int64()
			qt.Partitions, at.Partitions = append(qt.Partitions, qp), append(at.Partitions, ap)
		}
		q.Topics, a.Topics = append(q.Topics, qt), append(a.Topics, at)
	}
	return q, a
}

// talkContext is the traceparent of the record that has this id.
func talkContext(id string) string {
	h := fnv.New64a()
	h.Write([]byte(id))
	return fmt.Sprintf("00-%032x-%016x-01", h.Sum64(), h.Sum64())
}

// talkBatch is a batch of one record with secrets in it, an id header and a
// trace context, of any codec.
func talkBatch(crc uint32, repeat int, id string) []byte {
	codec := int16(crc % 5)
	value := bytes.Repeat(secret, repeat)
	if r := rand.New(rand.NewPCG(uint64(crc), 1)); codec != 0 { // as long when it is compressed
		for i := range value {
			value[i] = byte(r.Uint32())
		}
	}
	rec := kmsg.Record{Key: secret, Value: value, Headers: []kmsg.Header{
		{Key: "id", Value: []byte(id)}, {Key: "other", Value: secret}, {Key: "traceparent", Value: []byte(talkContext(id))},
	}}
	body := binary.AppendVarint(nil, int64(len(rec.AppendTo(nil))-1))
	body = append(body, rec.AppendTo(nil)[1:]...)
	body = compress(codec, body)
	b := kmsg.RecordBatch{Length: int32(49 + len(body)), Magic: 2, Attributes: codec, CRC: int32(crc), ProducerID: -1, FirstSequence: -1, NumRecords: 1, Records: body}
	return b.AppendTo(nil)
}

func compress(codec int16, b []byte) []byte {
	var out bytes.Buffer
	var w io.WriteCloser
	switch codec {
	case 1:
		w = gzip.NewWriter(&out)
	case 2:
		return xerial.Encode(nil, b)
	case 3:
		w = lz4.NewWriter(&out)
	case 4:
		w, _ = zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	default:
		return b
	}
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// conversation is some connections' packets in the order of time, and how
// many produce requests and answers they hold.
func conversation(r *rand.Rand, conns, calls int) (packets []Packet, requests, answered int) {
	var all [][]Packet
	for n := range conns {
		at := int64(1_700_000_000_000_000_000) + r.Int64N(1e9)
		t := newTalk(r, n, &at)
		t.open()
		switch r.IntN(3) {
		case 0:
			t.sasl()
		case 1:
			t.saslAuthenticate()
		}
		t.metadata()
		for range calls {
			switch r.IntN(10) {
			case 0:
				t.fetch()
			case 1:
				t.follower()
			case 2:
				t.oldProduce()
			default:
				t.produce(1 + r.IntN(3))
			}
		}
		if r.IntN(2) == 0 {
			t.close()
		}
		all = append(all, t.packets)
		requests += t.requests
		answered += t.answered
	}
	return merge(all), requests, answered
}

func merge(all [][]Packet) []Packet {
	packets := slices.Concat(all...)
	slices.SortStableFunc(packets, func(a, b Packet) int { return int(a.Unix - b.Unix) })
	return packets
}

// disturb loses, repeats and delays packets; stamps stay in order, as a
// capture's do.
func disturb(r *rand.Rand, packets []Packet, loss, repeat, delay float64) []Packet {
	out := make([]Packet, 0, len(packets))
	for _, p := range packets {
		switch x := r.Float64(); {
		case x < loss:
			continue
		case x < loss+repeat:
			out = append(out, clonePacket(p))
		}
		out = append(out, p)
	}
	for i := range out {
		j := i + 1 + r.IntN(5)
		if r.Float64() < delay && j < len(out) && (out[i].Data[33]|out[j].Data[33])&flagSYN == 0 {
			out[i], out[j] = out[j], out[i]
		}
	}
	stamps := make([]int64, len(out))
	for i := range out {
		stamps[i] = out[i].Unix
	}
	slices.Sort(stamps)
	for i := range out {
		out[i].Unix = stamps[i]
	}
	return out
}

func clonePacket(p Packet) Packet {
	p.Data = slices.Clone(p.Data)
	return p
}

func clonePackets(ps []Packet) []Packet {
	out := make([]Packet, len(ps))
	for i, p := range ps {
		out[i] = clonePacket(p)
	}
	return out
}
