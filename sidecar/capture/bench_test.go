package capture

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/tailspan/tailspan/sidecar/event"
)

// benchFile is a pcap of a long conversation.
func benchFile(b *testing.B) (file []byte, packets int, requests int) {
	ps, requests, _ := conversation(testRand(b, 21), 20, 60)
	return writePcap(b, true, ps), len(ps), requests
}

// BenchmarkFile is a whole pcap → events, against a loop that only reads and
// decodes headers with gopacket.
func BenchmarkFile(b *testing.B) {
	file, packets, requests := benchFile(b)
	perPacket := func(b *testing.B, n int) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/packet")
	}
	b.Run("tailspan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n := decodeOnce(b, file, nil); n != requests {
				b.Fatal(n, requests)
			}
		}
		perPacket(b, packets)
	})
	b.Run("tailspan-recording", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n := decodeOnce(b, file, func(Packet) {}); n != requests {
				b.Fatal(n, requests)
			}
		}
		perPacket(b, packets)
	})
	b.Run("gopacket-headers-only", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if n := bareLoop(b, file); n != packets {
				b.Fatal(n, packets)
			}
		}
		perPacket(b, packets)
	})
}

func decodeOnce(b *testing.B, file []byte, record func(Packet)) (requests int) {
	f, err := NewFile(bytes.NewReader(file))
	if err != nil {
		b.Fatal(err)
	}
	d := NewDecoder(Options{Topics: newBook(), Record: record, Emit: func(e event.Event) {
		if _, ok := e.(*event.Request); ok {
			requests++
		}
	}})
	d.SetListeners([]Listener{{brokerAddr, 1}})
	for {
		p, err := f.Next()
		if err == io.EOF {
			return requests
		}
		if err != nil {
			b.Fatal(err)
		}
		d.Packet(p.Packet)
	}
}

func bareLoop(b *testing.B, file []byte) (n int) {
	r, err := pcapgo.NewReader(bytes.NewReader(file))
	if err != nil {
		b.Fatal(err)
	}
	var ip layers.IPv4
	var tcp layers.TCP
	var payload gopacket.Payload
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeIPv4, &ip, &tcp, &payload)
	decoded := make([]gopacket.LayerType, 0, 4)
	for {
		data, _, err := r.ZeroCopyReadPacketData()
		if err == io.EOF {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
		_ = parser.DecodeLayers(data, &decoded)
		n++
	}
}

// BenchmarkPacket is one packet, mostly of no event: an acknowledgement.
func BenchmarkPacket(b *testing.B) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(b, 1), 1, &at)
	talk.open()
	d := NewDecoder(Options{Emit: func(event.Event) {}})
	d.SetListeners([]Listener{{brokerAddr, 1}})
	for _, p := range talk.packets {
		d.Packet(p)
	}
	ack := talk.packets[2]
	b.ReportAllocs()
	for b.Loop() {
		d.Packet(ack)
	}
}

// BenchmarkRequest is one small produce request in one packet and its
// response → two events.
func BenchmarkRequest(b *testing.B) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(b, 1), 1, &at)
	talk.version = 9
	talk.open()
	q, a := talk.produceRequest()
	q.Acks, q.Version = 1, 9
	a.Version = 9
	q.Topics, a.Topics = q.Topics[:1], a.Topics[:1]
	q.Topics[0].Partitions, a.Topics[0].Partitions = q.Topics[0].Partitions[:1], a.Topics[0].Partitions[:1]
	talk.whole = true
	open := len(talk.packets)
	talk.call(q, nil)
	talk.packet(true, flagACK, talk.response(a, 0))
	events := 0
	d := NewDecoder(Options{Emit: func(event.Event) { events++ }})
	d.SetListeners([]Listener{{brokerAddr, 1}})
	for _, p := range talk.packets[:open] {
		d.Packet(p)
	}
	pair := talk.packets[open:]
	size := [2]uint32{uint32(len(pair[0].Data) - 40), uint32(len(pair[1].Data) - 40)}
	b.ReportAllocs()
	for b.Loop() {
		for i, p := range pair {
			d.Packet(p)
			seq := p.Data[24:28]
			next := uint32(seq[0])<<24 | uint32(seq[1])<<16 | uint32(seq[2])<<8 | uint32(seq[3])
			next += size[i]
			seq[0], seq[1], seq[2], seq[3] = byte(next>>24), byte(next>>16), byte(next>>8), byte(next)
		}
	}
	if events != 2*b.N {
		b.Fatalf("%d events, should be %d", events, 2*b.N)
	}
}
