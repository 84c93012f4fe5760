package bpf

import (
	"errors"
	"testing"
)

func anyRegister() string {
	for r := range registers {
		return r
	}
	return ""
}

func TestEncodeSite(t *testing.T) {
	reg, minus := anyRegister(), int64(-5)
	raw, err := encodeSite(42, &USDTSite{Probe: "monitor__contended__enter", Args: []USDTArg{
		{Reg: reg, Size: -8}, {Reg: reg, Size: 8, Deref: true, Displacement: -16},
		{Size: -4, Const: &minus}, {Reg: reg, Size: 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "tgid", le.Uint32(raw[0:]), 42)
	check(t, "kind", Kind(le.Uint32(raw[4:])), KindMonitorEnter)
	check(t, "register", raw[8], fromRegister)
	check(t, "size", int8(raw[9]), -8)
	check(t, "pt_regs offset", le.Uint16(raw[10:]), registers[reg])
	check(t, "memory", raw[24], fromMemory)
	check(t, "displacement", int64(le.Uint64(raw[32:])), -16)
	check(t, "constant", raw[40], fromConst)
	check(t, "value", int64(le.Uint64(raw[48:])), -5)
}

func TestEncodeSiteRefuses(t *testing.T) {
	good := USDTArg{Reg: anyRegister(), Size: 8}
	for name, s := range map[string]USDTSite{
		"an unknown probe":    {Probe: "gc__begin", Args: []USDTArg{good, good, good, good}},
		"too few arguments":   {Probe: "monitor__contended__enter", Args: []USDTArg{good, good, good}},
		"an unknown register": {Probe: "monitor__contended__exit", Args: []USDTArg{good, {Reg: "xmm0", Size: 8}}},
		"an odd size":         {Probe: "monitor__contended__exit", Args: []USDTArg{good, {Reg: good.Reg, Size: 3}}},
	} {
		if _, err := encodeSite(1, &s); !errors.Is(err, ErrSite) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
