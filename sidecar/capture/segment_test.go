package capture

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// frame has gopacket write a packet: link, network, TCP, payload.
func frame(t testing.TB, payload []byte, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	tcp := &layers.TCP{SrcPort: 40001, DstPort: 9292, Seq: 7, Ack: 9, PSH: true, ACK: true,
		Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindNop}, {OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10, OptionData: make([]byte, 8)}}}
	b := gopacket.NewSerializeBuffer()
	ls = append(ls, tcp, gopacket.Payload(payload))
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var (
	testIPv4 = &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: net.IP{10, 0, 0, 1}, DstIP: net.IP{10, 0, 0, 9}}
	testIPv6 = &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: layers.IPProtocolTCP, SrcIP: net.ParseIP("fd00::1"), DstIP: net.ParseIP("fd00::9")}
)

func ether(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: kind}
}

func TestParse(t *testing.T) {
	payload := []byte("some payload")
	tag := func(kind layers.EthernetType) *layers.Dot1Q { return &layers.Dot1Q{VLANIdentifier: 5, Type: kind} }
	raw4, raw6 := frame(t, payload, testIPv4), frame(t, payload, testIPv6)
	withHopByHop := func() []byte {
		b := append([]byte(nil), raw6[:40]...)
		b[6] = 0
		binary.BigEndian.PutUint16(b[4:], uint16(len(raw6)-40+16))
		b = append(b, 60, 0, 0, 0, 0, 0, 0, 0)       // hop by hop, then
		b = append(b, protoTCP, 0, 0, 0, 0, 0, 0, 0) // destination options
		return append(b, raw6[40:]...)
	}
	sll := append(make([]byte, 14), 0x08, 0x00)
	sll2 := append([]byte{0x86, 0xdd}, make([]byte, 18)...)
	offloaded := append([]byte(nil), raw4...)
	offloaded[2], offloaded[3] = 0, 0
	for name, c := range map[string]struct {
		link LinkType
		data []byte
	}{
		"ethernet":        {LinkEthernet, frame(t, payload, ether(layers.EthernetTypeIPv4), testIPv4)},
		"ethernet padded": {LinkEthernet, append(frame(t, payload, ether(layers.EthernetTypeIPv4), testIPv4), "padding"...)},
		"ethernet v6":     {LinkEthernet, frame(t, payload, ether(layers.EthernetTypeIPv6), testIPv6)},
		"vlan":            {LinkEthernet, frame(t, payload, ether(layers.EthernetTypeDot1Q), tag(layers.EthernetTypeIPv4), testIPv4)},
		"qinq":            {LinkEthernet, frame(t, payload, ether(layers.EthernetTypeQinQ), tag(layers.EthernetTypeDot1Q), tag(layers.EthernetTypeIPv6), testIPv6)},
		"raw":             {LinkRaw, raw4},
		"raw v6":          {LinkRaw, raw6},
		"extensions":      {LinkIPv6, withHopByHop()},
		"sll":             {LinkSLL, append(sll, raw4...)},
		"sll2":            {LinkSLL2, append(sll2, raw6...)},
		"null":            {LinkNull, append([]byte{2, 0, 0, 0}, raw4...)},
		"loop":            {LinkLoop, append([]byte{0, 0, 0, 30}, raw6...)},
		"offloaded":       {LinkRaw, offloaded},
	} {
		var s segment
		p := Packet{LinkType: c.link, Data: c.data}
		if v := s.parse(&p); v != isTCP {
			t.Errorf("%s: verdict %d", name, v)
			continue
		}
		if s.src.port != 40001 || s.dst.port != 9292 || s.seq != 7 || s.ack != 9 || !s.has(flagACK) || s.has(flagSYN) || s.missing != 0 || !bytes.Equal(c.data[s.start:s.end], payload) {
			t.Errorf("%s: %+v", name, s)
		}
		if a := s.dst.addrPort().String(); a != "10.0.0.9:9292" && a != "[fd00::9]:9292" {
			t.Errorf("%s: %s", name, a)
		}
	}
}

func TestParseCutShort(t *testing.T) {
	whole := frame(t, make([]byte, 100), testIPv4)
	for n := range whole {
		var s segment
		p := Packet{LinkType: LinkRaw, Data: whole[:n], WireLength: len(whole)}
		v := s.parse(&p)
		switch {
		case n < 40 && v == isTCP:
			t.Fatalf("%d bytes were enough", n)
		case n >= 52 && (v != isTCP || s.length() != 100 || s.end != n):
			t.Fatalf("%d bytes: %+v", n, s)
		}
	}
	frag := append([]byte(nil), whole...)
	frag[6] = 0x20
	var s segment
	if v := s.parse(&Packet{LinkType: LinkRaw, Data: frag}); v != isFragment {
		t.Fatal(v)
	}
}

// A capture that cuts packets short still gives every request whose fields it
// holds, for records are not needed.
func TestSnapLength(t *testing.T) {
	packets, requests, _ := conversation(testRand(t, 11), 2, 20)
	for i := range packets {
		packets[i].Data = packets[i].Data[:min(len(packets[i].Data), 40+2000)]
	}
	got, _ := run(packets, nil, Bounds{})
	n := len(requestsOf(got.events))
	t.Logf("%d of %d requests, %d segments cut", n, requests, got.stats.Cut)
	if got.stats.Cut == 0 || n < requests/3 {
		t.Fatalf("%+v", got.stats)
	}
}

// FuzzDecoder overwrites bytes behind the addresses, which TCP's checksums do
// not let happen: nothing may panic or get lost without a count, and no
// request may appear that was not sent.
func FuzzDecoder(f *testing.F) {
	f.Add(uint64(1), []byte("\x00\x01\x02"))
	f.Add(uint64(2), bytes.Repeat([]byte{7, 1, 200}, 40))
	f.Fuzz(func(t *testing.T, seed uint64, edits []byte) {
		packets, requests, _ := conversation(rand.New(rand.NewPCG(seed, 2)), 2, 4)
		for len(edits) >= 3 { // overwrite a byte anywhere behind the addresses
			p := packets[int(edits[0])%len(packets)]
			p.Data[20+int(edits[1])%(len(p.Data)-20)] = edits[2]
			edits = edits[3:]
		}
		first, ids := run(packets, nil, Bounds{HeldBytes: 20000})
		if first.stats.Panics > 0 {
			t.Fatal(first.log)
		}
		checkAccounts(t, first)
		second, _ := run(first.recorded, ids, Bounds{HeldBytes: 20000})
		checkAccounts(t, second)
		if n := len(requestsOf(second.events)); n > requests {
			t.Fatalf("%d requests, %d were sent", n, requests)
		}
	})
}
