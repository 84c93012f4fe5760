package bpf

import (
	"testing"

	"github.com/cilium/ebpf/asm"
)

// TestAtomics: the only atomic instruction before Linux 5.12 is an addition that
// returns nothing; a program with another is refused, even if it never gets there.
func TestAtomics(t *testing.T) {
	spec, err := loadProbes()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, p := range spec.Programs {
		for _, i := range p.Instructions {
			op := i.OpCode.AtomicOp()
			if op == asm.InvalidAtomic {
				continue
			}
			if seen++; op != asm.AddAtomic {
				t.Errorf("%s: %v", name, i)
			}
		}
	}
	if seen == 0 {
		t.Error("no atomic instruction at all: records that are lost are not counted")
	}
}
