package capture

import (
	"encoding/binary"
	"fmt"
)

const (
	pcapHeader       = 24
	pcapPacketHeader = 16
)

// readPcapHeader reads the header of a classic pcap file.
func (f *File) readPcapHeader() error {
	b, err := f.take(pcapHeader)
	if err != nil {
		return fmt.Errorf("%w: too short", ErrFormat)
	}
	switch magic := binary.LittleEndian.Uint32(b); magic {
	case 0xa1b2c3d4, 0xa1b23c4d:
		f.order = binary.LittleEndian
	case 0xd4c3b2a1, 0x4d3cb2a1:
		f.order = binary.BigEndian
	default:
		return fmt.Errorf("%w: magic %08x", ErrFormat, magic)
	}
	f.factor = 1000
	if f.order.Uint32(b) == 0xa1b23c4d {
		f.factor = 1
	}
	f.link = LinkType(f.order.Uint32(b[20:])) // the upper half says how packets end
	return nil
}

func (f *File) nextPcap() (Block, error) {
	h, err := f.peek(pcapPacketHeader)
	if err != nil {
		return Block{}, err
	}
	sec, frac := int64(f.order.Uint32(h)), int64(f.order.Uint32(h[4:]))
	n, wire := int64(f.order.Uint32(h[8:])), f.order.Uint32(h[12:])
	if n > maxBlock {
		return Block{}, fmt.Errorf("%w: a packet of %d bytes", ErrFormat, n)
	}
	b, err := f.take(pcapPacketHeader + int(n))
	if err != nil {
		return Block{}, err
	}
	return Block{Packet: Packet{
		Unix: sec*1e9 + frac*f.factor, LinkType: f.link,
		Data: b[pcapPacketHeader:], WireLength: int(min(wire, maxBlock)),
	}}, nil
}
