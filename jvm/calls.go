package jvm

import (
	"debug/elf"
	"fmt"
)

// call is one of a function: where it stands, and the next instruction after it at
// which control may go elsewhere. Who returns from the call passes that, whatever
// comes of it.
type call struct{ at, after uint64 }

// callsOf finds the calls of a function in those that wait for monitors.
func callsOf(f *elf.File, symbols []elf.Symbol, callee elf.Symbol) ([]call, error) {
	var all []call
	for _, s := range symbols {
		if !begins(s.Name, callerSymbols) {
			continue
		}
		code, err := codeOf(f, s)
		if err != nil {
			return nil, err
		}
		found, err := callsIn(code, callee.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: nobody calls %s", ErrNoFunctions, callee.Name)
	}
	return all, nil
}

// instruction is what is asked of one.
type instruction struct {
	at     uint64
	moves  bool   // control may go elsewhere than to the next one
	calls  bool   // it comes back
	target uint64 // where to; 0: it is not written in it
}

func callsIn(code []instruction, callee uint64) (all []call, err error) {
	for i, x := range code {
		if !x.calls || x.target != callee {
			continue
		}
		c := call{at: x.at}
		for _, next := range code[i+1:] {
			if next.moves {
				c.after = next.at
				break
			}
		}
		if c.after == 0 {
			return nil, fmt.Errorf("%w: the call at %#x does not come back", ErrNoFunctions, x.at)
		}
		all = append(all, c)
	}
	return all, nil
}

// codeOf decodes a function. What is not understood for certain is an error: a
// breakpoint inside an instruction would be the end of the process.
func codeOf(f *elf.File, s elf.Symbol) ([]instruction, error) {
	code := make([]byte, s.Size)
	if err := readCode(f, s.Value, code); err != nil {
		return nil, fmt.Errorf("read code of %s: %w", s.Name, err)
	}
	decode := decodeX86
	if f.Machine == elf.EM_AARCH64 {
		decode = decodeARM
	}
	all, err := decode(code, s.Value)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNoFunctions, s.Name, err)
	}
	return all, nil
}

// readCode reads what is loaded at an address.
func readCode(f *elf.File, addr uint64, to []byte) error {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			_, err := p.ReadAt(to, int64(addr-p.Vaddr))
			return err
		}
	}
	return fmt.Errorf("%w: no code at %#x", ErrNoFunctions, addr)
}
