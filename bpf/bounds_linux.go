package bpf

import (
	"fmt"
	"time"

	"github.com/cilium/ebpf"
)

const (
	defaultSlow      = time.Millisecond      // a request to a disk, a force of a log
	defaultStackFrom = 50 * time.Microsecond // a stay off the CPU, a wait for a journal
)

// setBounds tells the programs from which duration on something is of interest.
func (o *Options) setBounds(spec *ebpf.CollectionSpec) error {
	for name, d := range map[string]time.Duration{
		probesVarStackFrom: bound(o.StackFrom, defaultStackFrom),
		probesVarSlowIo:    bound(o.SlowIO, defaultSlow),
		probesVarSlowWait:  bound(o.SlowWait, defaultStackFrom),
		probesVarSlowForce: bound(o.SlowForce, defaultSlow),
	} {
		if err := spec.Variables[name].Set(uint64(d)); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// bound is d, or what 0 stands for; less is no bound.
func bound(d, usual time.Duration) time.Duration {
	if d == 0 {
		return usual
	}
	return max(d, 0)
}
