package jvm

import (
	"strconv"
	"strings"
)

// Arg says where a probe's argument is found when its site is reached:
//
//	Const            the value itself
//	Reg              in the register
//	Reg, Deref       in memory at the register's value plus Displacement
//
// An Arg with none of them is in a place that is not supported; it is there so
// that arguments keep their numbers.
type Arg struct {
	Reg          string // 64-bit name: rbx, r13, x19, sp; "" for a Const
	Size         int8   // bytes; negative: signed
	Const        *int64
	Deref        bool
	Displacement int64
}

// Known says that the argument can be read.
func (a Arg) Known() bool { return a.Reg != "" || a.Const != nil }

// maxArgs is that of the stapsdt macros (sys/sdt.h: STAP_PROBE12).
const maxArgs = 12

// parseArgs reads a site's specification in the syntax of its assembler:
//
//	x86      -8@%rbx  4@%r12d  -4@$5  8@16(%rsp)
//	aarch64  8@x19    -4@w0    -4@5   8@[sp, 16]
func parseArgs(spec string) []Arg {
	var out []Arg
	for len(out) < maxArgs {
		size, operand, rest, ok := nextArg(spec)
		if !ok {
			break
		}
		spec = rest
		a := parseOperand(operand)
		if n, err := strconv.ParseInt(size, 10, 8); err == nil && a.Known() && validSize(n) {
			a.Size = int8(n)
		} else {
			a = Arg{} // 8f: a floating-point register
		}
		out = append(out, a)
	}
	return out
}

func validSize(n int64) bool {
	n = max(n, -n)
	return n == 1 || n == 2 || n == 4 || n == 8
}

// nextArg cuts off one N@operand; blanks may stand only within [ ].
func nextArg(spec string) (size, operand, rest string, ok bool) {
	spec = strings.TrimLeft(spec, " \t")
	end := strings.IndexAny(spec, " \t")
	if open := strings.IndexByte(spec, '['); open >= 0 && (end < 0 || open < end) {
		if end = strings.IndexByte(spec, ']'); end >= 0 {
			end++
		}
	}
	if end < 0 {
		end = len(spec)
	}
	size, operand, found := strings.Cut(spec[:end], "@")
	if !found {
		return "", spec[:end], spec[end:], end > 0
	}
	return size, operand, spec[end:], true
}

func parseOperand(s string) Arg {
	switch {
	case s == "":
		return Arg{}
	case s[0] == '%':
		return Arg{Reg: x86Register(s[1:])}
	case s[0] == '$':
		return constant(s[1:])
	case s[0] == '[':
		return armMemory(s)
	case strings.HasSuffix(s, ")"):
		return x86Memory(s)
	}
	if s == "xzr" || s == "wzr" {
		return constant("0")
	}
	if reg := armRegister(s); reg != "" {
		return Arg{Reg: reg}
	}
	return constant(s)
}

func constant(s string) Arg {
	n, err := strconv.ParseInt(s, 0, 64)
	if err != nil {
		u, err := strconv.ParseUint(s, 0, 64) // $0xffffffffffffffff
		if err != nil {
			return Arg{}
		}
		n = int64(u)
	}
	return Arg{Const: &n}
}

// x86Memory reads disp(%reg); neither symbols nor an index are supported.
func x86Memory(s string) Arg {
	disp, reg, _ := strings.Cut(strings.TrimSuffix(s, ")"), "(%")
	return indirect(x86Register(reg), disp)
}

// armMemory reads [reg], [reg, disp] and [reg, #disp].
func armMemory(s string) Arg {
	s = strings.TrimPrefix(strings.TrimSuffix(s, "]"), "[")
	reg, disp, _ := strings.Cut(s, ",")
	reg = strings.TrimSpace(reg)
	if strings.HasPrefix(reg, "w") { // no address fits in there
		return Arg{}
	}
	return indirect(armRegister(reg), strings.TrimPrefix(strings.TrimSpace(disp), "#"))
}

func indirect(reg, disp string) Arg {
	a := Arg{Reg: reg, Deref: true}
	if disp != "" {
		n, err := strconv.ParseInt(disp, 0, 32)
		if err != nil {
			return Arg{}
		}
		a.Displacement = n
	}
	if reg == "" {
		return Arg{}
	}
	return a
}
