package kafka

import "encoding/binary"

// The primitive types of the protocol, as a cursor reads them.

func (c *cursor) int8() (v int8) {
	if c.room(1) {
		v = int8(c.b[c.off])
		c.off++
	}
	return v
}

func (c *cursor) int16() (v int16) {
	if c.room(2) {
		v = int16(binary.BigEndian.Uint16(c.b[c.off:]))
		c.off += 2
	}
	return v
}

func (c *cursor) int32() (v int32) {
	if c.room(4) {
		v = int32(binary.BigEndian.Uint32(c.b[c.off:]))
		c.off += 4
	}
	return v
}

func (c *cursor) int64() (v int64) {
	if c.room(8) {
		v = int64(binary.BigEndian.Uint64(c.b[c.off:]))
		c.off += 8
	}
	return v
}

func (c *cursor) uuid() (id [16]byte) {
	if c.room(16) {
		copy(id[:], c.b[c.off:])
		c.off += 16
	}
	return id
}

// bytes borrows the next n bytes.
func (c *cursor) bytes(n int) []byte {
	if !c.room(n) {
		return nil
	}
	c.off += n
	return c.b[c.off-n : c.off]
}

// rest borrows what else is at hand, without reading it.
func (c *cursor) rest() []byte {
	if c.fail != fine {
		return nil
	}
	return c.b[c.off:]
}

// uvarint reads an unsigned varint of at most 32 bits.
func (c *cursor) uvarint() uint32 {
	if !c.room(1) {
		return 0
	}
	if v := c.b[c.off]; v < 0x80 {
		c.off++
		return uint32(v)
	}
	var v uint64
	for shift := 0; shift < 35 && c.room(1); shift += 7 {
		b := c.b[c.off]
		c.off++
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	if c.fail == fine {
		c.fail = broken
	}
	return 0
}

// count reads the length of an array whose elements take at least size bytes
// each; null counts as empty.
func (c *cursor) count(flexible bool, size, most int) int {
	var n int
	if flexible {
		n = int(c.uvarint()) - 1
	} else {
		n = int(c.int32())
	}
	switch {
	case c.fail != fine || n <= 0:
		return 0
	case n*size > c.limit-c.off: // n has 32 bits
		c.fail = broken
		return 0
	case n > most:
		c.fail = bound
		return 0
	}
	return n
}

// length reads a string's length, -1 for null.
func (c *cursor) length(flexible bool) int {
	if flexible {
		return int(c.uvarint()) - 1
	}
	return int(c.int16())
}

// name borrows a string that is at most MaxName long; null, where it may be,
// is empty.
func (c *cursor) name(flexible, nullable bool) []byte {
	var n int // as length does, without another call
	if flexible {
		n = int(c.uvarint()) - 1
	} else {
		n = int(c.int16())
	}
	switch {
	case c.fail != fine:
		return nil
	case n > c.limit-c.off || n < 0 && !nullable:
		c.fail = broken
		return nil
	case n > MaxName:
		c.fail = bound
		return nil
	case n <= 0:
		return nil
	}
	return c.bytes(n)
}

// varint reads a zigzag varint of 32 bits.
func (c *cursor) varint() int {
	v := c.uvarint()
	return int(int32(v>>1) ^ -int32(v&1))
}

// varlong passes over a varint of up to 64 bits.
func (c *cursor) varlong() {
	for i := 0; i < 10 && c.room(1); i++ {
		c.off++
		if c.b[c.off-1] < 0x80 {
			return
		}
	}
	if c.fail == fine {
		c.fail = broken
	}
}
