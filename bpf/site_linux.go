package bpf

import "fmt"

// Where an argument comes from, as in kern/site.h.
const (
	fromConst = iota
	fromRegister
	fromMemory
)

// encodeSite writes struct site of kern/site.h.
func encodeSite(tgid uint32, attachment uint64, s *USDTSite) (raw [siteSize]byte, err error) {
	k, ok := siteKinds[s.Probe]
	if !ok {
		return raw, fmt.Errorf("%w: unknown probe", ErrSite)
	}
	le.PutUint32(raw[0:], tgid)
	raw[4], raw[5], raw[6] = byte(k.kind), k.edge, k.flags
	le.PutUint64(raw[8:], attachment)
	for i, n := range k.args {
		if n == none {
			continue // a constant 0
		}
		if n >= len(s.Args) {
			return [siteSize]byte{}, fmt.Errorf("%w: %d arguments", ErrSite, len(s.Args))
		}
		if err := s.Args[n].encode(raw[siteArgsAt+16*i:]); err != nil {
			return [siteSize]byte{}, fmt.Errorf("argument %d: %w", n, err)
		}
	}
	return raw, nil
}

// encode writes struct argument of kern/site.h.
func (a *USDTArg) encode(raw []byte) error {
	switch a.Size {
	case 1, 2, 4, 8, -1, -2, -4, -8:
	default:
		return fmt.Errorf("%w: size %d", ErrSite, a.Size)
	}
	raw[1] = byte(a.Size)
	if a.Const != nil {
		raw[0] = fromConst
		le.PutUint64(raw[8:], uint64(*a.Const))
		return nil
	}
	reg, ok := registers[a.Reg]
	if !ok {
		return fmt.Errorf("%w: register %q", ErrSite, a.Reg)
	}
	raw[0] = fromRegister
	if a.Deref {
		raw[0] = fromMemory
		le.PutUint64(raw[8:], uint64(a.Displacement))
	}
	le.PutUint16(raw[2:], reg)
	return nil
}
