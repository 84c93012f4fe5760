package capture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

// links are the ways in which an IP packet is wrapped.
var links = map[string]struct {
	link   LinkType
	header func(v6 bool) []byte
}{
	"ethernet": {LinkEthernet, func(v6 bool) []byte { return etherType(make([]byte, 12), v6) }},
	"vlan":     {LinkEthernet, func(v6 bool) []byte { return etherType(append(make([]byte, 12), 0x81, 0, 0, 5), v6) }},
	"qinq": {LinkEthernet, func(v6 bool) []byte {
		return etherType(append(make([]byte, 12), 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6), v6)
	}},
	"sll":  {LinkSLL, func(v6 bool) []byte { return etherType(make([]byte, 14), v6) }},
	"sll2": {LinkSLL2, func(v6 bool) []byte { return append(etherType(nil, v6), make([]byte, 18)...) }},
	"null": {LinkNull, func(v6 bool) []byte { return []byte{2, 0, 0, 0} }},
	"loop": {LinkLoop, func(v6 bool) []byte { return []byte{0, 0, 0, 24} }},
	"raw":  {LinkRaw, func(bool) []byte { return nil }},
}

func etherType(b []byte, v6 bool) []byte {
	if v6 {
		return append(b, 0x86, 0xdd)
	}
	return append(b, 8, 0)
}

// sixth makes an IPv6 packet of an IPv4 one, with extension headers: hop by
// hop, destination options, a fragment header of a whole packet, and
// authentication. What is longer than 64 KiB is a jumbogram.
func sixth(r *rand.Rand, v4 []byte) []byte {
	b := make([]byte, 40)
	b[0], b[6] = 0x60, protoTCP
	for i, from := range []int{12, 16} {
		copy(b[8+16*i:], netip.MustParseAddr("fd00::").AsSlice())
		copy(b[8+16*i+12:], v4[from:from+4])
	}
	at := 6 // of the next header's number
	for range r.IntN(4) {
		kind := []byte{0, 60, 44, 51}[r.IntN(4)]
		b[at] = kind
		at = len(b)
		ext := make([]byte, 8)
		if kind == 51 {
			ext = make([]byte, 12)
			ext[1] = 1
		}
		ext[0] = protoTCP
		b = append(b, ext...)
	}
	b = append(b, v4[20:]...)
	if n := len(b) - 40; n <= 0xffff {
		binary.BigEndian.PutUint16(b[4:], uint16(n))
	}
	return b
}

// The same conversation over every link type, IPv4 and IPv6, gives the same
// requests and responses at the same instants; it holds sequence numbers that
// wrap, and segments beyond 64 KiB without a length.
func TestLinkTypes(t *testing.T) {
	r := testRand(t, 81)
	packets, _, _ := conversation(r, 3, 15)
	at := packets[0].Unix
	big := newTalk(r, 9, &at)
	big.version = 9
	big.open()
	for range 3 { // a segment as large offload makes it, and larger ones
		q, a := big.produceRequest()
		q.Acks, q.Version, a.Version = 1, 9, 9
		q.Topics, a.Topics = q.Topics[:1], a.Topics[:1]
		q.Topics[0].Partitions, a.Topics[0].Partitions = q.Topics[0].Partitions[:1], a.Topics[0].Partitions[:1]
		q.Topics[0].Partitions[0].Records = talkBatch(r.Uint32(), 5500+r.IntN(500), fmt.Sprintf("id-%d-0", big.correlation))
		big.whole = true
		big.call(q, a)
	}
	packets = merge([][]Packet{packets, big.packets})
	large := 0
	for _, p := range packets {
		if len(p.Data) > 65_549 {
			large++
		}
	}
	want, _ := decode(packets, []Listener{{brokerAddr, 42}}, Bounds{})
	w := truthOf(t, want)
	if large == 0 || len(w.requests) == 0 {
		t.Fatalf("%d large segments, %d requests: the conversation proves nothing", large, len(w.requests))
	}
	for name, l := range links {
		for _, v6 := range []bool{false, true} {
			wrapped := slices.Clone(packets)
			listen := brokerAddr
			if v6 {
				a := brokerAddr.Addr().As4()
				listen = netip.AddrPortFrom(netip.AddrFrom16([16]byte{0: 0xfd, 12: a[0], 13: a[1], 14: a[2], 15: a[3]}), brokerAddr.Port())
			}
			for i, p := range wrapped {
				data := p.Data
				if v6 {
					data = sixth(r, data)
				}
				data = append(l.header(v6), data...)
				wrapped[i] = Packet{Unix: p.Unix, LinkType: l.link, Data: data, WireLength: len(data)}
			}
			got, s := decode(wrapped, []Listener{{listen, 42}}, Bounds{})
			q, a := w.check(t, fmt.Sprint(name, v6), got, s)
			if len(q) != len(w.requests) || len(a) != len(w.responses) || s.NotTCP+s.Gaps+s.Desyncs > 0 {
				t.Errorf("%s, IPv6 %v: %d of %d requests, %d of %d responses: %+v", name, v6, len(q), len(w.requests), len(a), len(w.responses), s)
			}
			if !slices.Equal(stamps(got), stamps(want)) {
				t.Errorf("%s, IPv6 %v: other stamps", name, v6)
			}
		}
	}
}

func stamps(events []event.Event) (out []event.Time) {
	for _, e := range events {
		out = append(out, e.At())
	}
	return out
}
