package capture

import (
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// maxPorts bounds the ports of a filter: a jump reaches 255 instructions.
const maxPorts = 100

// Where the filter keeps what it knows.
const (
	slotSides = iota // which ports count: 1 the source's, 2 the destination's
	slotSource
	slotDestination
)

var (
	accept = bpf.RetConstant{Val: 1 << 20}
	drop   = bpf.RetConstant{}
)

// portFilter assembles a filter, for packets that begin at the IP header, that
// lets TCP from and to the ports pass.
//
// Loopback shows every packet twice: what goes out is dropped there. On a real
// interface what goes out comes from a listener, and what comes in goes to
// one; a connection of our own to another broker's port is neither.
func portFilter(ports []uint16) ([]bpf.RawInstruction, error) {
	v4, v6 := filterIPv4(), filterIPv6()
	v4 = append(v4, bpf.Jump{Skip: uint32(len(v6))})
	p := []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtLinkLayerType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.ARPHRD_LOOPBACK, SkipFalse: 5},
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 1},
		drop,
		bpf.LoadConstant{Dst: bpf.RegA, Val: 1 | 2},
		bpf.Jump{Skip: 5},
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.PACKET_OUTGOING, SkipFalse: 2},
		bpf.LoadConstant{Dst: bpf.RegA, Val: 1},
		bpf.Jump{Skip: 1},
		bpf.LoadConstant{Dst: bpf.RegA, Val: 2},
		bpf.StoreScratch{Src: bpf.RegA, N: slotSides},

		bpf.LoadExtension{Num: bpf.ExtProto},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv4, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: etherIPv6, SkipTrue: uint8(1 + len(v4))},
		drop,
	}
	p = append(p, v4...)
	p = append(p, v6...)
	p = append(p, filterPorts(2, slotDestination, ports)...)
	p = append(p, filterPorts(1, slotSource, ports)...)
	return bpf.Assemble(append(p, drop))
}

// filterIPv4 stores the ports of a first or only fragment with TCP in it.
func filterIPv4() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: protoTCP, SkipTrue: 1},
		drop,
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipFalse: 1},
		drop,
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 0, Size: 2},
		bpf.StoreScratch{Src: bpf.RegA, N: slotSource},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.StoreScratch{Src: bpf.RegA, N: slotDestination},
	}
}

// filterIPv6 does the same; what has an extension header passes, to be looked
// at outside the kernel.
func filterIPv6() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadAbsolute{Off: 6, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: protoTCP, SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 43, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 60, SkipTrue: 1},
		drop,
		accept,
		bpf.LoadAbsolute{Off: 40, Size: 2},
		bpf.StoreScratch{Src: bpf.RegA, N: slotSource},
		bpf.LoadAbsolute{Off: 42, Size: 2},
		bpf.StoreScratch{Src: bpf.RegA, N: slotDestination},
	}
}

// filterPorts accepts if the side counts and its port is listed, else goes on.
func filterPorts(side uint32, slot int, ports []uint16) []bpf.Instruction {
	list := []bpf.Instruction{bpf.LoadScratch{Dst: bpf.RegA, N: slot}}
	for i, p := range ports {
		list = append(list, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(p), SkipTrue: uint8(len(ports) - i)})
	}
	list = append(list, bpf.Jump{Skip: 1}, accept)
	return append([]bpf.Instruction{
		bpf.LoadScratch{Dst: bpf.RegA, N: slotSides},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: side, SkipFalse: uint8(len(list))},
	}, list...)
}
