package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// Enters is how often a thread of a process found a monitor held, as far as probes
// were attached to see it ([Probes.AttachSites]). It is counted where a probe is
// hit, so it holds what the ring had no room for, too. It begins anew when the
// process is one of those that were not seen for longest, beyond 1,024.
func (p *Probes) Enters(pid int32) (n uint64, err error) {
	perCPU := make([]uint64, ebpf.MustPossibleCPU())
	err = p.shared.Maps[probesMapEnters].Lookup(uint32(pid), &perCPU)
	if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return 0, fmt.Errorf("read count of enters: %w", err)
	}
	for _, on := range perCPU {
		n += on
	}
	return n, nil
}
