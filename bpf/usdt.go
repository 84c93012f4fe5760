package bpf

// USDTSite is one place of a USDT probe in a library.
type USDTSite struct {
	Probe      string // monitor__contended__enter, …entered, …exit
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

// The probes of HotSpot that [Probes.AttachSites] knows; others are refused.
var monitorProbes = map[string]Kind{
	"monitor__contended__enter":   KindMonitorEnter,
	"monitor__contended__entered": KindMonitorEntered,
	"monitor__contended__exit":    KindMonitorExit,
}
