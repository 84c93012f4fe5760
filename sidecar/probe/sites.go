package probe

import (
	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// Sites hands probe sites over from jvm to bpf, which do not know each other.
func Sites(sites []jvm.Probe) []bpf.USDTSite {
	all := make([]bpf.USDTSite, len(sites))
	for i, s := range sites {
		all[i] = bpf.USDTSite{Probe: s.Name, FileOffset: s.FileOffset, Args: make([]bpf.USDTArg, len(s.Args))}
		for k, a := range s.Args {
			all[i].Args[k] = bpf.USDTArg{Reg: a.Reg, Size: a.Size, Const: a.Const, Deref: a.Deref, Displacement: a.Displacement}
		}
	}
	return all
}
