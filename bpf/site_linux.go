package bpf

import "fmt"

// Where an argument comes from, as in kern/monitor.h.
const (
	fromConst = iota
	fromRegister
	fromMemory
)

// encodeSite writes struct site of kern/monitor.h.
func encodeSite(tgid uint32, s *USDTSite) (raw [siteSize]byte, err error) {
	kind, ok := monitorProbes[s.Probe]
	if !ok {
		return raw, fmt.Errorf("%w: unknown probe", ErrSite)
	}
	need := 2
	if kind == KindMonitorEnter {
		need = siteArgs
	}
	if len(s.Args) < need {
		return raw, fmt.Errorf("%w: %d arguments", ErrSite, len(s.Args))
	}
	le.PutUint32(raw[0:], tgid)
	le.PutUint32(raw[4:], uint32(kind))
	for i := range s.Args[:need] {
		if err := s.Args[i].encode(raw[8+16*i:]); err != nil {
			return raw, fmt.Errorf("argument %d: %w", i, err)
		}
	}
	return raw, nil
}

// encode writes struct argument of kern/monitor.h.
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
