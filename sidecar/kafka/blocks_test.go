package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"testing"
)

// A snappy block's length is bounded by its bytes before it allocates.
func TestLyingSnappy(t *testing.T) {
	lie := append(binary.AppendUvarint(nil, 512<<20), bytes.Repeat([]byte{0}, 100)...)
	for _, b := range [][]byte{lie, append([]byte(xerialMagic+"\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x68"), lie...)} {
		h := &HeaderReader{Contexts: true}
		budget := Budget{Bytes: 1 << 30, Records: 10}
		if err := h.Read(&budget, codecSnappy, 1, b, &headerRows{}); !errors.Is(err, ErrMalformed) || cap(h.codecs.blocks.out) > chunkSize {
			t.Errorf("%v, %d bytes held", err, cap(h.codecs.blocks.out))
		}
	}
}

// Linked blocks refer to earlier ones, of up to 64 KiB before.
func TestLinkedLZ4(t *testing.T) {
	r := newRand(t, 22)
	records, want := randomRecords(r, 400, 12_000)
	plain := encodeRecords(records)
	var got headerRows
	b := plenty()
	h := &HeaderReader{MessageID: "id", Contexts: true}
	if err := h.Read(&b, 3, int32(len(records)), linkedFrame(plain, 40_000), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%v: %d of %d", err, len(got), len(want))
	}
	if len(plain) < 2*slideBlocks {
		t.Fatal("too short for the blocks to slide")
	}
}

// linkedFrame is plain in linked blocks of n bytes, every fourth stored, each
// with a checksum, which is not looked at.
func linkedFrame(plain []byte, n int) []byte {
	frame := append(binary.LittleEndian.AppendUint32(nil, lz4Magic), 0x40|lz4BlockChecked, 0x40, 0)
	for at := 0; at < len(plain); at += n {
		block, flag := plain[at:min(at+n, len(plain))], uint32(lz4Stored)
		if at/n%4 != 0 {
			block, flag = linkedBlock(plain, at, len(block)), 0
		}
		frame = binary.LittleEndian.AppendUint32(frame, uint32(len(block))|flag)
		frame = append(frame, block...)
		frame = append(frame, 1, 2, 3, 4)
	}
	return append(frame, 0, 0, 0, 0)
}

// linkedBlock is plain[at:at+n] as matches of what stands 1 to 64 KiB before,
// where there is any, else literals.
func linkedBlock(plain []byte, at, n int) (b []byte) {
	end := at + n
	literal := at
	for i := at; i+12+4 < end; {
		back := 0
		for _, d := range []int{60_000, 65_535, 50_000, 40_001} {
			if i-d >= 0 && bytes.Equal(plain[i:i+4], plain[i-d:i-d+4]) {
				back = d
				break
			}
		}
		if back == 0 {
			i++
			continue
		}
		m := 4
		for i+m+12 < end && plain[i+m] == plain[i+m-back] {
			m++
		}
		b = sequence(b, plain[literal:i], back, m)
		i += m
		literal = i
	}
	return sequence(b, plain[literal:end], 0, 0)
}

// sequence is literals and, unless back is 0, a match (lz4_Block_format.md).
func sequence(b, literals []byte, back, match int) []byte {
	token := byte(min(len(literals), 15)) << 4
	if back > 0 {
		token |= byte(min(match-4, 15))
	}
	b = append(b, token)
	b = lz4Length(b, len(literals))
	b = append(b, literals...)
	if back > 0 {
		b = binary.LittleEndian.AppendUint16(b, uint16(back))
		b = lz4Length(b, match-4)
	}
	return b
}

func lz4Length(b []byte, n int) []byte {
	if n < 15 {
		return b
	}
	for n -= 15; n >= 255; n -= 255 {
		b = append(b, 255)
	}
	return append(b, byte(n))
}
