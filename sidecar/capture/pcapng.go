package capture

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// Block types and options of pcapng (draft-ietf-opsawg-pcapng).
const (
	blockInterface = 1
	blockPacket    = 2 // obsolete, but written by old tools
	blockSimple    = 3
	blockEnhanced  = 6
	blockSection   = 0x0a0d0d0a

	optionResolution = 9
	optionOffset     = 14
)

type fileInterface struct {
	link    LinkType
	snap    uint32
	perUnit uint64 // units of the stamps in a second
	offset  int64  // seconds
}

func (f *File) nextNG() (Block, error) {
	for {
		b, kind, err := f.block()
		if err != nil {
			return Block{}, err
		}
		var p Block
		found := false
		switch kind {
		case blockSection:
			f.ifs = f.ifs[:0]
		case blockInterface:
			err = f.addInterface(b)
		case blockEnhanced:
			p, err = f.enhanced(b)
			found = true
		case blockPacket:
			if len(b) >= 4 { // a 16-bit number and a drop count, where the newer block has 32 bits
				n := f.order.Uint16(b)
				f.order.PutUint32(b, uint32(n))
			}
			p, err = f.enhanced(b)
			found = true
		case blockSimple:
			p, err = f.simple(b)
			found = true
		}
		if err != nil || found {
			return p, err
		}
	}
}

// block takes the next block and returns its body.
func (f *File) block() (body []byte, kind uint32, err error) {
	h, err := f.peek(12)
	if err != nil {
		return nil, 0, err
	}
	if binary.LittleEndian.Uint32(h) == blockSection {
		switch binary.LittleEndian.Uint32(h[8:]) {
		case 0x1a2b3c4d:
			f.order = binary.LittleEndian
		case 0x4d3c2b1a:
			f.order = binary.BigEndian
		default:
			return nil, 0, fmt.Errorf("%w: byte order of a section", ErrFormat)
		}
	}
	kind = f.order.Uint32(h)
	n := f.order.Uint32(h[4:])
	if n < 12 || n > maxBlock || n%4 != 0 {
		return nil, 0, fmt.Errorf("%w: a block of %d bytes", ErrFormat, n)
	}
	b, err := f.take(int(n))
	if err != nil {
		return nil, 0, err
	}
	return b[8 : n-4], kind, nil
}

// addInterface reads an interface description.
func (f *File) addInterface(b []byte) error {
	if len(b) < 8 || len(f.ifs) >= maxInterfaces {
		return fmt.Errorf("%w: interface description", ErrFormat)
	}
	i := fileInterface{link: LinkType(f.order.Uint16(b)), snap: f.order.Uint32(b[4:]), perUnit: 1e6}
	for b = b[8:]; len(b) >= 4; {
		code, n := f.order.Uint16(b), int(f.order.Uint16(b[2:]))
		b = b[4:]
		if code == 0 || n > len(b) {
			break
		}
		switch {
		case code == optionResolution && n == 1:
			i.perUnit = perSecond(b[0])
		case code == optionOffset && n == 8:
			i.offset = int64(f.order.Uint64(b))
		}
		b = b[min((n+3)&^3, len(b)):]
	}
	if i.perUnit == 0 {
		return fmt.Errorf("%w: resolution of an interface", ErrFormat)
	}
	f.ifs = append(f.ifs, i)
	return nil
}

// perSecond reads if_tsresol: a negative power of 10, or of 2; 0 if it is finer
// than can be counted.
func perSecond(v byte) uint64 {
	if v&0x80 != 0 {
		if v &= 0x7f; v < 64 {
			return 1 << v
		}
		return 0
	}
	n := uint64(1)
	for range v {
		if n > 1e18 {
			return 0
		}
		n *= 10
	}
	return n
}

// enhanced reads an enhanced packet block.
func (f *File) enhanced(b []byte) (Block, error) {
	if len(b) < 20 {
		return Block{}, fmt.Errorf("%w: packet block", ErrFormat)
	}
	n, id := f.order.Uint32(b[12:]), f.order.Uint32(b)
	if int64(n) > int64(len(b)-20) || int64(id) >= int64(len(f.ifs)) {
		return Block{}, fmt.Errorf("%w: packet block", ErrFormat)
	}
	stamp := uint64(f.order.Uint32(b[4:]))<<32 | uint64(f.order.Uint32(b[8:]))
	i := &f.ifs[id]
	return Block{Interface: int(id), Packet: Packet{
		Unix: i.unix(stamp), LinkType: i.link, Data: b[20 : 20+n],
		WireLength: int(min(f.order.Uint32(b[16:]), maxBlock)),
	}}, nil
}

// unix is a stamp in ns.
func (i *fileInterface) unix(stamp uint64) int64 {
	sec, rest := stamp/i.perUnit, stamp%i.perUnit
	hi, lo := bits.Mul64(rest, 1e9)
	ns, _ := bits.Div64(hi, lo, i.perUnit)
	return (int64(sec)+i.offset)*1e9 + int64(ns)
}

// simple reads a simple packet block, which has no stamp.
func (f *File) simple(b []byte) (Block, error) {
	if len(b) < 4 || len(f.ifs) == 0 {
		return Block{}, fmt.Errorf("%w: simple packet block", ErrFormat)
	}
	wire := f.order.Uint32(b)
	n := wire
	if snap := f.ifs[0].snap; snap > 0 {
		n = min(n, snap)
	}
	if int64(n) > int64(len(b)-4) {
		return Block{}, fmt.Errorf("%w: simple packet block", ErrFormat)
	}
	return Block{Packet: Packet{LinkType: f.ifs[0].link, Data: b[4 : 4+n], WireLength: int(min(wire, maxBlock))}}, nil
}
