package capture

import (
	"encoding/binary"
	"net/netip"
)

// segment is what one packet holds of a TCP stream. It borrows the packet.
type segment struct {
	src, dst   endpoint
	seq, ack   uint32
	flags      byte
	start, end int // of the payload in the packet's data
	missing    int // bytes of the payload that the capture cut off
}

// endpoint is an address as it is compared: IPv4 in its mapped form.
type endpoint struct {
	ip   [16]byte
	port uint16
}

const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	_
	flagACK
)

func (s *segment) has(flag byte) bool { return s.flags&flag != 0 }

// length is how many bytes of the stream the segment stands for.
func (s *segment) length() int { return s.end - s.start + s.missing }

func (e endpoint) addrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.ip).Unmap(), e.port)
}

func endpointOf(a netip.AddrPort) endpoint { return endpoint{a.Addr().As16(), a.Port()} }

// verdict is what a packet turned out to be.
type verdict uint8

const (
	isTCP verdict = iota
	notTCP
	isFragment
)

const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
	protoTCP  = 6
	// maxVLANTags and maxExtensions bound what may stand before TCP.
	maxVLANTags   = 4
	maxExtensions = 8
	// linkRawBSD and linkRawOpen are what some systems write for LinkRaw.
	linkRawBSD  LinkType = 12
	linkRawOpen LinkType = 14
)

// parse finds the TCP segment in a packet. Checksums are not verified: the
// hardware computes them after the capture.
func (s *segment) parse(p *Packet) verdict {
	b := p.Data
	at, ether := networkLayer(p.LinkType, b)
	if at < 0 || at >= len(b) {
		return notTCP
	}
	if ether == 0 {
		ether = etherIPv4
		if b[at]>>4 == 6 {
			ether = etherIPv6
		}
	}
	wire := max(p.WireLength, len(b))
	switch ether {
	case etherIPv4:
		return s.ipv4(b, at, wire)
	case etherIPv6:
		return s.ipv6(b, at, wire)
	}
	return notTCP
}

// networkLayer is where the network layer begins, -1 where it does not, and
// its EtherType, 0 where the first byte tells the version.
func networkLayer(t LinkType, b []byte) (at int, ether uint16) {
	switch t {
	case LinkRaw, LinkIPv4, LinkIPv6, linkRawBSD, linkRawOpen:
		return 0, 0
	case LinkNull, LinkLoop:
		return 4, 0 // after an address family whose number depends on the system
	case LinkEthernet:
		return afterEtherType(b, 12)
	case LinkSLL:
		return afterEtherType(b, 14)
	case LinkSLL2:
		if len(b) < 20 {
			return -1, 0
		}
		return 20, binary.BigEndian.Uint16(b)
	}
	return -1, 0
}

// afterEtherType reads the EtherType at an offset, past VLAN tags.
func afterEtherType(b []byte, at int) (int, uint16) {
	for range maxVLANTags + 1 {
		if len(b) < at+2 {
			return -1, 0
		}
		ether := binary.BigEndian.Uint16(b[at:])
		at += 2
		switch ether {
		case 0x8100, 0x88a8, 0x9100:
			at += 2
		default:
			return at, ether
		}
	}
	return -1, 0
}

func (s *segment) ipv4(b []byte, at, wire int) verdict {
	h := b[at:]
	if len(h) < 20 || h[0]>>4 != 4 {
		return notTCP
	}
	header := int(h[0]&15) * 4
	total := int(binary.BigEndian.Uint16(h[2:]))
	if total == 0 {
		total = wire - at // a packet that was larger than 64 KiB before it was cut
	}
	if h[9] != protoTCP || header < 20 || total < header {
		return notTCP
	}
	if binary.BigEndian.Uint16(h[6:])&0x3fff != 0 {
		return isFragment
	}
	s.src.ip, s.dst.ip = mapped(h[12:16]), mapped(h[16:20])
	return s.tcp(b, at+header, at+total)
}

func mapped(b []byte) (ip [16]byte) {
	ip[10], ip[11] = 0xff, 0xff
	copy(ip[12:], b)
	return ip
}

func (s *segment) ipv6(b []byte, at, wire int) verdict {
	h := b[at:]
	if len(h) < 40 || h[0]>>4 != 6 {
		return notTCP
	}
	end := at + 40 + int(binary.BigEndian.Uint16(h[4:]))
	if end == at+40 {
		end = wire // a jumbogram
	}
	copy(s.src.ip[:], h[8:24])
	copy(s.dst.ip[:], h[24:40])
	next, off := h[6], 40
	for range maxExtensions {
		if next == protoTCP {
			return s.tcp(b, at+off, end)
		}
		if len(h) < off+8 {
			return notTCP
		}
		switch next {
		case 0, 43, 60: // hop-by-hop, routing, destination
			next, off = h[off], off+8+int(h[off+1])*8
		case 51: // authentication
			next, off = h[off], off+8+int(h[off+1])*4
		case 44:
			if binary.BigEndian.Uint16(h[off+2:])&0xfff9 != 0 {
				return isFragment
			}
			next, off = h[off], off+8
		default:
			return notTCP
		}
	}
	return notTCP
}

// tcp reads the header at an offset; the packet ends at end by its IP header.
func (s *segment) tcp(b []byte, at, end int) verdict {
	if len(b) < at+20 {
		return notTCP
	}
	h := b[at:]
	header := int(h[12]>>4) * 4
	if header < 20 || at+header > end {
		return notTCP
	}
	s.src.port, s.dst.port = binary.BigEndian.Uint16(h), binary.BigEndian.Uint16(h[2:])
	s.seq, s.ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	s.flags = h[13]
	s.start = min(at+header, len(b))
	s.end = min(end, len(b))
	s.missing = max(end-max(len(b), at+header), 0)
	return isTCP
}
