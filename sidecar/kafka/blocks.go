package kafka

import (
	"bytes"
	"encoding/binary"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// blocks decompresses the codecs that are blocks in a frame, block by block,
// so that no length of the frame allocates more than the budget. The framing
// is read here, for the libraries' readers hold blocks of up to 4 MiB.
type blocks struct {
	rest []byte // what has not been decompressed
	out  []byte // the storage of what has

	xerial bool // snappy: blocks, rather than one

	most    int  // lz4: bytes of a block
	linked  bool // lz4: blocks refer to those before them
	checked bool // lz4: a checksum follows each
	used    int  // lz4: of out, by the blocks before
}

// xerialMagic begins the frame of snappy-java (SnappyCodec.java): magic,
// version, compatible version, and per block its length and bytes. Other
// clients write a bare block.
const (
	xerialMagic  = "\x82SNAPPY\x00"
	xerialHeader = 16
	// snappyRatio bounds what a block can make of its bytes: a copy of 64 is
	// three (google/snappy's format_description.txt).
	snappyRatio = 22
)

func (k *blocks) beginSnappy(b []byte) {
	k.rest, k.used = b, 0
	k.xerial = bytes.HasPrefix(b, []byte(xerialMagic))
}

func (k *blocks) nextSnappy(most int) ([]byte, error) {
	block := k.rest
	if k.xerial {
		// Streams may be concatenated, as snappy-java reads them.
		if bytes.HasPrefix(k.rest, []byte(xerialMagic)) {
			k.rest = k.rest[min(len(k.rest), xerialHeader):]
		}
		if len(k.rest) < 4 {
			return nil, ErrMalformed
		}
		n := uint64(binary.BigEndian.Uint32(k.rest))
		k.rest = k.rest[4:]
		if n > uint64(len(k.rest)) {
			return nil, ErrMalformed
		}
		block, k.rest = k.rest[:n], k.rest[n:]
	} else {
		k.rest = nil
	}
	size, err := snappy.DecodedLen(block)
	if err != nil || size > snappyRatio*len(block) {
		return nil, ErrMalformed
	}
	if size > most {
		return nil, ErrBudget
	}
	k.grow(size)
	out, err := snappy.Decode(k.out, block)
	if err != nil {
		return nil, ErrMalformed
	}
	return out, nil
}

// grow makes room for n bytes in out; n has met its bound.
func (k *blocks) grow(n int) {
	if n > len(k.out) {
		out := make([]byte, max(n, chunkSize, min(2*len(k.out), slideBlocks)))
		copy(out, k.out[:k.used])
		k.out = out
	}
}

// The lz4 frame (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md).
const (
	lz4Magic        = 0x184d2204
	lz4Independent  = 1 << 5
	lz4BlockChecked = 1 << 4
	lz4Size         = 1 << 3
	lz4Dictionary   = 1 << 0
	lz4Stored       = 1 << 31 // of a block's length
	lz4Window       = 64 << 10
)

// beginLZ4 reads the frame's header. The checksums are not looked at.
func (k *blocks) beginLZ4(b []byte) error {
	if len(b) < 7 || binary.LittleEndian.Uint32(b) != lz4Magic || b[4]>>6 != 1 || b[4]&lz4Dictionary != 0 {
		return ErrMalformed
	}
	flags, size := b[4], b[5]>>4&7
	if size < 4 {
		return ErrMalformed
	}
	header := 7
	if flags&lz4Size != 0 {
		header += 8
	}
	k.rest, k.used = b[min(len(b), header):], 0
	k.most = 1 << (8 + 2*size)
	k.linked, k.checked = flags&lz4Independent == 0, flags&lz4BlockChecked != 0
	return nil
}

func (k *blocks) nextLZ4(most int) ([]byte, error) {
	if len(k.rest) < 4 {
		return nil, ErrMalformed
	}
	length := binary.LittleEndian.Uint32(k.rest)
	n := int(length &^ lz4Stored)
	k.rest = k.rest[4:]
	if n == 0 || n > len(k.rest) || n > k.most { // 0 is the end: of fewer records than there are
		return nil, ErrMalformed
	}
	block := k.rest[:n]
	k.rest = k.rest[n:]
	if k.checked {
		k.rest = k.rest[min(len(k.rest), 4):]
	}
	if length&lz4Stored != 0 && !k.linked {
		return cutTo(block, most)
	}
	return k.decodeLZ4(block, length&lz4Stored != 0, most)
}

// cutTo is b, or what the budget leaves of it.
func cutTo(b []byte, most int) ([]byte, error) {
	if len(b) > most {
		return b[:most], ErrBudget
	}
	return b, nil
}

// decodeLZ4 puts a block behind those that it may refer to.
func (k *blocks) decodeLZ4(block []byte, stored bool, most int) ([]byte, error) {
	if !k.linked {
		k.used = 0
	}
	// A byte of lz4 makes at most 255, and the length is not said.
	size := min(k.most, most, 255*len(block))
	if k.used > slideBlocks { // only the window is needed
		copy(k.out, k.out[k.used-lz4Window:k.used])
		k.used = lz4Window
	}
	k.grow(k.used + size)
	dst := k.out[k.used : k.used+size]
	n := 0
	if stored {
		n = copy(dst, block)
		if n < len(block) {
			return dst, ErrBudget
		}
	} else {
		var err error
		n, err = lz4.UncompressBlockWithDict(block, dst, k.out[max(k.used-lz4Window, 0):k.used])
		if err != nil {
			if size == most && size < k.most { // it may have been too short
				return nil, ErrBudget
			}
			return nil, ErrMalformed
		}
	}
	if k.linked {
		k.used += n
	}
	return dst[:n], nil
}
