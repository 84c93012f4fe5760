package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Stats counts what was seen by a program and did not come out of the ring.
type Stats struct {
	// Lost counts the records of a kind that found the ring full, and writes
	// that found no room to be remembered in.
	Lost [kindCount]uint64
	// Missed counts the runs of programs that the kernel left out, for
	// another program was running on that CPU (since Linux 5.12).
	Missed uint64
}

// Stats may be called at any time before Close.
func (p *Probes) Stats() (Stats, error) {
	var s Stats
	perCPU := make([]uint64, ebpf.MustPossibleCPU())
	for k := range s.Lost {
		if err := p.shared.Maps[probesMapLost].Lookup(uint32(k), &perCPU); err != nil {
			return Stats{}, fmt.Errorf("read losses of %s: %w", Kind(k), err)
		}
		for _, n := range perCPU {
			s.Lost[k] += n
		}
	}
	return s, p.eachProgram(func(_ string, _ *ebpf.Program, st *ebpf.ProgramStats) {
		s.Missed += st.RecursionMisses
	})
}

func (p *Probes) eachProgram(f func(name string, prog *ebpf.Program, s *ebpf.ProgramStats)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.loaded {
		for name, prog := range c.Programs {
			st, err := prog.Stats()
			if err != nil {
				return fmt.Errorf("read statistics of %s: %w", name, err)
			}
			f(name, prog, st)
		}
	}
	return nil
}
