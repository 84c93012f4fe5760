package probe

import "github.com/tailspan/tailspan/bpf"

const (
	maxSymbols    = 1 << 16 // functions that are named; a kernel has more, stacks have hundreds
	maxAddresses  = 1 << 16 // that are remembered; a full table is begun anew
	maxSymbolName = 512     // include/linux/kallsyms.h, KSYM_NAME_LEN
)

// Symbols gives the functions of stacks small numbers, for the kernel's
// addresses are a secret (KASLR) and stay out of recordings. A live run numbers
// what it meets; a replay learns the numbers from the recording. Not safe for
// concurrent use.
type Symbols struct {
	function  func(address uint64) string // nil in a replay
	names     map[uint64]string
	numbers   map[string]uint64
	addresses map[uint64]uint64 // of which the number is known
	hidden    []byte            // the latest
}

// NewSymbols returns Symbols that know no number.
func NewSymbols() *Symbols {
	return &Symbols{names: map[uint64]string{}, numbers: map[string]uint64{}, addresses: map[uint64]uint64{}}
}

// Functions says who names the function that an address lies in ("" unknown).
func (s *Symbols) Functions(name func(address uint64) string) { s.function = name }

// Hide is a raw record with numbers in the place of the addresses, 0 where the
// function is not known, and the names of those numbers that were not given
// before. The record is raw itself where it has no stack, else a copy that the
// next call uses again: raw may lie where nobody but the kernel writes.
func (s *Symbols) Hide(raw []byte) (hidden []byte, fresh map[uint64]string) {
	if len(bpf.StackOf(raw)) == 0 {
		return raw, nil
	}
	s.hidden = append(s.hidden[:0], raw...)
	all := bpf.StackOf(s.hidden)
	for i := range all.Len() {
		address := all.At(i)
		// A return address may be the first one behind the function that
		// called; only that of a running thread's own instruction is not one.
		if i > 0 || bpf.Kind(raw[0]) != bpf.KindSample {
			address--
		}
		n, name := s.number(address)
		if name != "" {
			if fresh == nil {
				fresh = map[uint64]string{}
			}
			fresh[n] = name
		}
		all.Set(i, n)
	}
	clear(all[8*all.Len():])
	return s.hidden, fresh
}

// number is an address's, with the function's name where that is new.
func (s *Symbols) number(address uint64) (n uint64, fresh string) {
	if n, ok := s.addresses[address]; ok {
		return n, ""
	}
	if len(s.addresses) >= maxAddresses {
		clear(s.addresses)
	}
	name := ""
	if s.function != nil {
		name = s.function(address)
	}
	n = s.numbers[name]
	if n == 0 && name != "" {
		if n = uint64(len(s.names)) + 1; !s.Learn(n, name) {
			return 0, ""
		}
		fresh = name
	}
	s.addresses[address] = n
	return n, fresh
}

// Learn takes the name that a number stands for; false: it is not taken.
func (s *Symbols) Learn(number uint64, name string) bool {
	if number == 0 || name == "" || len(name) > maxSymbolName || len(s.names) >= maxSymbols {
		return false
	}
	s.names[number], s.numbers[name] = name, number
	return true
}

// Name is the function that a number stands for, "" unknown.
func (s *Symbols) Name(number uint64) string { return s.names[number] }
