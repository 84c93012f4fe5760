package bpf

// USDTSite is one place in a library: of a USDT probe, or in a function.
type USDTSite struct {
	Probe      string // one of those in groups_linux.go
	FileOffset uint64 // of the instruction, in the file
	Args       []USDTArg
}

// USDTArg says where an argument is when a site is hit: a constant, a register,
// or (Deref) the memory at a register plus a displacement.
type USDTArg struct {
	Reg          string // by its 64-bit name: "rbx", "x19"
	Size         int8   // 1, 2, 4 or 8 bytes; negative: signed
	Const        *int64
	Deref        bool
	Displacement int64
}
