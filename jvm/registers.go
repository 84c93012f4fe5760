package jvm

import (
	"strconv"
	"strings"
)

// x86Register gives the 64-bit name of a register or of its low part; "" for
// what is none, and for ah, bh, ch, dh, which are no low part.
func x86Register(name string) string {
	switch name {
	case "al", "ax", "eax", "rax":
		return "rax"
	case "bl", "bx", "ebx", "rbx":
		return "rbx"
	case "cl", "cx", "ecx", "rcx":
		return "rcx"
	case "dl", "dx", "edx", "rdx":
		return "rdx"
	case "sil", "si", "esi", "rsi":
		return "rsi"
	case "dil", "di", "edi", "rdi":
		return "rdi"
	case "bpl", "bp", "ebp", "rbp":
		return "rbp"
	case "spl", "sp", "esp", "rsp":
		return "rsp"
	}
	number, ok := strings.CutPrefix(name, "r")
	if !ok {
		return ""
	}
	if n := len(number); n > 0 && strings.IndexByte("bwd", number[n-1]) >= 0 {
		number = number[:n-1]
	}
	return numbered("r", number, 8, 15)
}

// armRegister gives the 64-bit name of a general register; "" for what is none.
func armRegister(name string) string {
	switch name {
	case "sp", "wsp":
		return "sp"
	case "fp":
		return "x29"
	case "lr":
		return "x30"
	case "":
		return ""
	}
	if name[0] != 'x' && name[0] != 'w' {
		return ""
	}
	return numbered("x", name[1:], 0, 30)
}

func numbered(prefix, number string, low, high int) string {
	n, err := strconv.Atoi(number)
	if err != nil || n < low || n > high || strconv.Itoa(n) != number {
		return ""
	}
	return prefix + number
}
