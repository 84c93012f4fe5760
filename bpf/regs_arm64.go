package bpf

import "strconv"

// registers maps a register to its offset in struct user_pt_regs
// (arch/arm64/include/uapi/asm/ptrace.h).
var registers = func() map[string]uint16 {
	regs := map[string]uint16{"sp": 31 * 8, "pc": 32 * 8}
	for i := range 31 {
		regs["x"+strconv.Itoa(i)] = uint16(i) * 8
	}
	return regs
}()
