package bpf

// registers maps a register to its offset in struct pt_regs
// (arch/x86/include/asm/ptrace.h).
var registers = map[string]uint16{
	"r15": 0, "r14": 8, "r13": 16, "r12": 24, "rbp": 32, "rbx": 40,
	"r11": 48, "r10": 56, "r9": 64, "r8": 72, "rax": 80, "rcx": 88,
	"rdx": 96, "rsi": 104, "rdi": 112, "rip": 128, "rsp": 152,
}
