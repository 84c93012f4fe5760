package jvm

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// decodeX86 decodes a function from its first to its last byte. That it never was
// out of step is shown by the function's own branches, all of which must meet the
// begin of an instruction.
func decodeX86(code []byte, addr uint64) (all []instruction, err error) {
	begins := make([]bool, len(code))
	for at := 0; at < len(code); {
		begins[at] = true
		inst, size, err := nextX86(code[at:])
		if err != nil {
			return nil, fmt.Errorf("instruction at +%#x: %w", at, err)
		}
		x := instruction{at: addr + uint64(at), calls: inst.Op == x86asm.CALL}
		at += size
		rel, relative := inst.Args[0].(x86asm.Rel)
		if relative {
			x.target = addr + uint64(at) + uint64(int64(rel))
		}
		x.moves = relative || x.calls || inst.Op == x86asm.JMP || inst.Op == x86asm.RET
		all = append(all, x)
	}
	for _, x := range all {
		if at := x.target - addr; x.target != 0 && at < uint64(len(code)) && !begins[at] {
			return nil, fmt.Errorf("a branch into an instruction at +%#x", at)
		}
	}
	return all, nil
}

// endbr64 marks what may be jumped to through memory; the decoder does not know it.
const endbr64 = "\xf3\x0f\x1e\xfa"

func nextX86(code []byte) (inst x86asm.Inst, size int, err error) {
	if len(code) >= len(endbr64) && string(code[:len(endbr64)]) == endbr64 {
		return x86asm.Inst{Op: x86asm.NOP}, len(endbr64), nil
	}
	inst, err = x86asm.Decode(code, 64)
	if err == nil && inst.Op == 0 { // what it does not know it takes for a prefix
		err = x86asm.ErrUnrecognized
	}
	return inst, inst.Len, err
}

// decodeARM reads words (Arm A64 instruction set: B, BL, B.cond, CBZ, TBZ, BR, BLR,
// RET).
func decodeARM(code []byte, addr uint64) (all []instruction, err error) {
	if len(code)%4 != 0 {
		return nil, fmt.Errorf("%d bytes of code", len(code))
	}
	for at := 0; at < len(code); at += 4 {
		word := binary.LittleEndian.Uint32(code[at:])
		x := instruction{at: addr + uint64(at)}
		switch {
		case word>>26&0b011111 == 0b000101: // B, BL
			x.moves, x.calls = true, word>>31 == 1
			x.target = x.at + uint64(int64(int32(word<<6)>>6)*4)
		case word>>24 == 0b01010100, // B.cond
			word>>25&0b0111111 == 0b0011010, // CBZ, CBNZ
			word>>25&0b0111111 == 0b0011011: // TBZ, TBNZ
			x.moves = true
		case word>>25 == 0b1101011: // by a register
			x.moves, x.calls = true, word>>21&0b1111 == 1
		}
		all = append(all, x)
	}
	return all, nil
}
