package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// chooseReads tries in which ways programs may read: through kernel pointers
// themselves, as newer kernels let them; any memory by a call, as all do but
// locked ones.
func (p *Probes) chooseReads(o *Options) error {
	reads := p.tryProgram(probesProgReadMemory, nil)
	direct := p.tryProgram(probesProgReadDirectly, map[string]any{probesVarDirect: true})
	p.log.Debug("reads of memory", "direct", direct, "by call", reads)
	for name, value := range map[string]bool{
		probesVarDirect:  direct == nil && !o.old,
		probesVarReads:   reads == nil,
		probesVarVectors: !o.NoVectors,
	} {
		if err := p.spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

// tryProgram loads a program with some knobs set, and forgets it.
func (p *Probes) tryProgram(program string, knobs map[string]any) error {
	spec := p.spec.Copy()
	for name, value := range knobs {
		if err := spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	coll, err := p.load(spec, program)
	if err != nil {
		return err
	}
	coll.Close()
	return nil
}

// hostPID is the number that the kernel's programs know this process by, which
// from inside a container cannot be told otherwise.
func (p *Probes) hostPID() (int32, error) {
	coll, err := p.load(p.spec.Copy(), probesProgWhoLoads)
	if err != nil {
		return 0, err
	}
	defer coll.Close()
	pid, err := coll.Programs[probesProgWhoLoads].Run(&ebpf.RunOptions{})
	return int32(pid), err
}
