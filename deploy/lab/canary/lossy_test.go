package canary

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
)

// nested has clients produce records that hold whole requests, as somebody does
// who keeps captures in Kafka: to these a decoder might take, once it has lost
// where it was. They come in many segments, which begin anywhere in them.
func (s *stage) produceNested(t *testing.T) {
	t.Helper()
	for _, acks := range []int16{0, 1} {
		c := s.dial(t, fmt.Sprintf("nested, acks=%d", acks), kafka.SASLPlaintext, kafka.Plain, s.people.plain[0], kgo.ProducerBatchCompression(kgo.NoCompression()))
		c.tap.cut(innerBytes)
		for range rounds {
			value := bytes.Repeat(s.innerRequests(t, acks), innerTimes)
			if err := c.ProduceSync(t.Context(), &kgo.Record{Value: value}).FirstErr(); err != nil {
				t.Errorf("nested: %v", err)
			}
		}
		s.hangUp(t, c)
	}
}

const (
	inner      = 10 // distinct requests: more than a stream without acks must show to be believed
	innerTimes = 20
	innerBytes = 1500 // in a segment, at most
)

func (s *stage) innerRequests(t *testing.T, acks int16) (all []byte) {
	t.Helper()
	client := s.note(nested, New("client id inside of a record")).Text()
	for id := range int32(inner) {
		r := kmsg.NewPtrProduceRequest()
		r.Version, r.Acks, r.TransactionID = 9, acks, kmsg.StringPtr(s.note(nested, New("transactional id inside of a record")).Text())
		b, _, err := (&wire.Batch{Records: []kmsg.Record{{Value: s.secret("record inside of a record").Bytes}}, ProducerID: wire.Plain}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = b
		in := kmsg.NewProduceRequestTopic()
		in.Topic, in.Partitions = s.note(nested, New("topic inside of a record")).Text(), append(in.Partitions, p)
		r.Topics = append(r.Topics, in)
		all = append(all, kmsg.NewRequestFormatter(kmsg.FormatterClientID(client)).AppendRequest(nil, r, 1000+id)...)
	}
	return all
}

const lossyRuns = 12

// lose decodes the capture as a live tailspan would that misses packets, or
// comes late, and adds what it would record and make of it.
func (s *stage) lose(t *testing.T, o *outputs, p *pcap) {
	t.Helper()
	recorded := output{name: "recorded with losses", place: recording, lossy: true}
	made := output{name: "made of a capture with losses", place: recording, lossy: true, must: s.topic.Text()}
	packets := p.packets(t)
	names := NewSearcher(s.of(nested)...)
	var inside []int
	for i := range packets {
		if len(names.Find(packets[i].Data)) > 0 {
			inside = append(inside, i)
		}
	}
	var lost, found uint64
	for seed := range uint64(lossyRuns) {
		r := rand.New(rand.NewPCG(seed, 1))
		var some []capture.Packet
		from := 0
		if seed%2 == 1 { // in the midst of nested requests
			from = inside[r.IntN(len(inside))]
		}
		for _, x := range packets[from:] {
			if r.Float64() >= 0.03 {
				x.Data = bytes.Clone(x.Data)
				some = append(some, x)
			}
		}
		stats := s.decode(p, some, &recorded.bytes, &made.bytes)
		lost, found = lost+stats.Desyncs, found+stats.Resyncs
	}
	t.Logf("%d runs lost the boundaries of requests %d times, and found them again %d times", lossyRuns, lost, found)
	if lost < lossyRuns || found < lossyRuns {
		t.Error("that is too seldom to prove anything")
	}
	t.Logf("names of nested requests: %d findings in what is recorded, %d in what is made of it", len(names.Find(recorded.bytes)), len(names.Find(made.bytes)))
	o.add(recorded)
	o.add(made)
}

// decode records packets, and what events they gave.
func (s *stage) decode(p *pcap, packets []capture.Packet, recorded, made *[]byte) capture.Stats {
	d := capture.NewDecoder(capture.Options{
		TraceContext: true,
		Record:       func(x capture.Packet) { *recorded = append(*recorded, x.Data...) },
		Emit: func(e event.Event) {
			*made = fmt.Appendf(*made, "%+v\n", e)
			if r, ok := e.(*event.Request); ok {
				*made = fmt.Appendf(*made, "%+v\n", r.Partitions)
			}
		},
	})
	var listeners []capture.Listener
	for _, port := range p.ports {
		listeners = append(listeners, capture.Listener{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)), PID: 1})
	}
	d.SetListeners(listeners)
	for _, x := range packets {
		d.Packet(x)
	}
	d.Tick(event.Time(packets[len(packets)-1].Unix + 10e9))
	return d.Stats()
}

// packets of the capture.
func (p *pcap) packets(t *testing.T) (all []capture.Packet) {
	t.Helper()
	f, err := capture.OpenFile(p.file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		b, err := f.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		x := b.Packet
		x.Data = bytes.Clone(x.Data)
		all = append(all, x)
	}
}
