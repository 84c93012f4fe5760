package capture

import "net/netip"

// LinkType is a LINKTYPE_ value as capture files carry it: what the first
// byte of a packet is.
type LinkType uint16

// The link types that the Decoder reads, and the user types, which it leaves
// to others.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkRaw      LinkType = 101 // an IP header, of either version
	LinkLoop     LinkType = 108
	LinkSLL      LinkType = 113
	LinkUser0    LinkType = 147
	LinkUser15   LinkType = 162
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276
)

// Packet is one captured packet. Data is borrowed until the call that it is
// passed to returns, and a Decoder that records zeroes in it, in place, what
// must not leave the process.
type Packet struct {
	Unix       int64 // ns, CLOCK_REALTIME
	LinkType   LinkType
	Data       []byte
	WireLength int // before it was cut to the capture's snap length; 0: whole
}

// Listener is one address on which a broker accepts connections. An
// unspecified IP stands for every address of the host.
type Listener struct {
	Addr netip.AddrPort
	PID  int32 // 0 where only packets are at hand
}
