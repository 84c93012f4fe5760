package canary

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// malformed is what somebody sends who means no good, or no Kafka. Each piece
// is a write of its own.
type malformed struct {
	name   string
	pieces [][]byte
}

// sendMalformed sends each case on a connection of its own to every listener
// that is no TLS, and to the one that is no broker's at all.
func (s *stage) sendMalformed(t *testing.T) {
	t.Helper()
	var targets []string
	for _, p := range []kafka.Protocol{kafka.Plaintext, kafka.SASLPlaintext} {
		targets = append(targets, s.broker.Access(p, "").Address)
	}
	targets = append(targets, s.fake.address)
	cases := s.malformedRequests(t)
	cases = append(cases, s.malformedSASL()...)
	cases = append(cases, s.foreign()...)
	var wg sync.WaitGroup
	for _, address := range targets {
		for part := range atOnce {
			wg.Go(func() {
				for i := part; i < len(cases); i += atOnce {
					if err := cases[i].send(address); err != nil {
						t.Errorf("%s to %s: %v", cases[i].name, address, err)
					}
				}
			})
		}
	}
	wg.Wait()
	t.Logf("%d malformed conversations with each of %d listeners", len(cases), len(targets))
}

const (
	listenFor = 20 * time.Millisecond // how long an answer to rubbish is waited for
	atOnce    = 4                     // conversations with a listener
)

func (m malformed) send(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	for _, p := range m.pieces {
		if _, err := c.Write(p); err != nil {
			return nil // it was hung up on
		}
		_ = c.SetReadDeadline(time.Now().Add(listenFor))
		_, _ = io.Copy(io.Discard, c)
	}
	return nil
}

// frame puts a length before bytes.
func frame(b ...[]byte) []byte {
	all := bytes.Join(b, nil)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(all))), all...)
}

// head is the shared part of a request's header.
func head(key, version int16, correlation int32, clientID string) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(key))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	return append(b, str(clientID)...)
}

func str(s string) []byte { return append(int16s(len(s)), s...) }

func int16s(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func int32s(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// produce is a good request of a version, with a topic, records and an id.
func (s *stage) produce(name string, version int16, topic string, id int32, records []byte) []byte {
	r := kmsg.NewPtrProduceRequest()
	r.Version, r.Acks, r.TimeoutMillis = version, 1, 1000
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = records
	in := kmsg.NewProduceRequestTopic()
	in.Topic, in.Partitions = topic, append(in.Partitions, p)
	r.Topics = append(r.Topics, in)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID(s.identity("%s: client id", name))).AppendRequest(nil, r, id)
}

// batch is a good one of marks.
func (s *stage) batch(t *testing.T, name string) []byte {
	t.Helper()
	r := s.record(name, 0)
	k := kmsg.Record{Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	b, _, err := (&wire.Batch{Records: []kmsg.Record{k}, Timestamp: time.Now().UnixMilli(),
		ProducerID: wire.Plain, ProducerEpoch: wire.Plain, Sequence: wire.Plain}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// malformedRequests begin well and break where the decoder is at work.
func (s *stage) malformedRequests(t *testing.T) (all []malformed) {
	t.Helper()
	add := func(name string, pieces ...[]byte) { all = append(all, malformed{name, pieces}) }
	id := func() string { return s.identity("malformed %d: client id", len(all)) }
	mark := func() []byte { return s.secret("malformed %d", len(all)).Bytes }
	good := func(version int16) []byte {
		name := fmt.Sprintf("malformed %d", len(all))
		return s.produce(name, version, s.topic.Text(), 7, s.batch(t, name))
	}
	for _, v := range []int16{3, 8, 9, 12} {
		b := good(v)
		add("cut short", b[:len(b)-40])
		b = good(v)
		add("cut short, then another", b[:len(b)-40], good(v))
		b = good(v)
		add("too long by a few", append(frame(b[4:], mark()), good(v)...))
		b = good(v)
		add("byte by byte", singles(b[:90])...)
		b = good(v)
		binary.BigEndian.PutUint32(b, uint32(len(b)-4-30))
		add("a length too short", b, good(v))
		b = good(v)
		add("garbage behind", b, mark(), mark())
	}
	for _, damage := range []struct {
		at int // in the batch
		to byte
	}{{16, 1}, {16, 9}, {20, 0xff}, {11, 1}, {8, 0xff}, {22, 7}, {60, 99}, {57, 0x7f}, {62, 0xff}, {66, 0x80}, {70, 0x7e}} {
		name := fmt.Sprintf("a batch damaged at %d", damage.at)
		records := s.batch(t, name)
		records[damage.at] = damage.to
		add(name, s.produce(name, 9, s.topic.Text(), 7, records))
		add(name+", an old version", s.produce(name, 7, s.topic.Text(), 7, records))
	}
	for magic := range int8(2) {
		k := kmsg.Record{Key: mark(), Value: mark()}
		add("a message set", s.produce("a message set", 7, s.topic.Text(), 7, wire.MessageSet(magic, time.Now().UnixMilli(), []kmsg.Record{k, k})))
	}
	for _, v := range []int16{3, 9} { // well-formed, but no metric may have it for a label
		add("an unknown topic", s.produce("unknown topic", v, s.identity("unknown topic, v%d", v), 7, s.batch(t, "unknown topic")))
	}
	add("records that are none", s.produce("no records", 9, s.topic.Text(), 7, bytes.Repeat(mark(), 8)))
	add("a topic too long", s.produce("long topic", 9, string(bytes.Repeat(mark(), 100)), 7, s.batch(t, "long topic")))
	add("a transactional id too long", frame(head(0, 7, 7, id()), str(string(bytes.Repeat(mark(), 100))), int16s(1)))
	add("a client id too long", frame(head(0, 7, 7, string(bytes.Repeat(mark(), 100))), mark()))
	add("a client id longer than its frame", frame(head(0, 7, 7, "")[:8], int16s(1000), mark()))
	add("many topics", frame(head(0, 7, 7, id()), int16s(-1), int16s(1), int32s(1000), int32s(1<<30), mark(), mark()))
	add("fewer topics than none", frame(head(0, 7, 7, id()), int16s(-1), int16s(1), int32s(1000), int32s(-5), mark()))
	add("a topic's length beyond", frame(head(0, 7, 7, id()), int16s(-1), int16s(1), int32s(1000), int32s(1), int16s(30000), mark()))
	add("many tags", frame(head(0, 9, 7, id()), bytes.Repeat([]byte{0xff}, 5), mark()))
	add("tags", frame(head(0, 9, 7, id()), []byte{2, 1, byte(len(mark()))}, mark(), []byte{2, byte(markLength)}, mark()))
	for _, key := range []int16{95, 96, 120, 150, 199, 200, 30000, -1} {
		add(fmt.Sprintf("API key %d", key), frame(head(key, 0, 7, id()), mark()), good(9))
	}
	for _, v := range []int16{0, 1, 2, 14, 17, 18, 99, -3} {
		add(fmt.Sprintf("Produce v%d", v), frame(head(0, v, 7, id()), int16s(1), int32s(1000), int32s(1), str(s.topic.Text()), int32s(1), int32s(0), mark(), mark()), good(9))
	}
	add("a Fetch that breaks", frame(head(1, 12, 7, id()), []byte{0}, int32s(5), mark(), mark()))
	add("a rack", frame(head(1, 11, 7, id()), int32s(1), int32s(0), int32s(0), int32s(0), []byte{0}, int32s(0), int32s(0), int32s(0), int32s(0), str(string(mark()))))
	add("a client's software", frame(head(18, 3, 7, id()), []byte{0, byte(markLength + 1)}, mark(), []byte{byte(markLength + 1)}, mark(), []byte{0}))
	return all
}

func singles(b []byte) (all [][]byte) {
	for i := 0; i < len(b); i += 9 {
		all = append(all, b[i:min(i+9, len(b))])
	}
	return all
}
