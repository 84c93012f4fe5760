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
	raw, err := encodeSite(42, 7, &USDTSite{Probe: "monitor__contended__enter", Args: []USDTArg{
		{Reg: reg, Size: -8}, {Reg: reg, Size: 8, Deref: true, Displacement: -16},
		{Size: -4, Const: &minus}, {Reg: reg, Size: 4},
	}})
	if err != nil {
		t.Fatal(err)
	}
	check(t, "tgid", le.Uint32(raw[0:]), 42)
	check(t, "kind", Kind(le.Uint32(raw[4:])), KindMonitorEnter)
	check(t, "attachment", le.Uint64(raw[8:]), 7)
	check(t, "register", raw[16], fromRegister)
	check(t, "size", int8(raw[17]), -8)
	check(t, "pt_regs offset", le.Uint16(raw[18:]), registers[reg])
	check(t, "memory", raw[32], fromMemory)
	check(t, "displacement", int64(le.Uint64(raw[40:])), -16)
	check(t, "constant", raw[48], fromConst)
	check(t, "value", int64(le.Uint64(raw[56:])), -5)
}

func TestEncodeSiteRefuses(t *testing.T) {
	good := USDTArg{Reg: anyRegister(), Size: 8}
	for name, s := range map[string]USDTSite{
		"an unknown probe":    {Probe: "method__entry", Args: []USDTArg{good, good, good, good}},
		"too few arguments":   {Probe: "monitor__contended__enter", Args: []USDTArg{good, good, good}},
		"an unknown register": {Probe: "monitor__contended__exit", Args: []USDTArg{good, {Reg: "xmm0", Size: 8}}},
		"an odd size":         {Probe: "monitor__contended__exit", Args: []USDTArg{good, {Reg: good.Reg, Size: 3}}},
	} {
		if _, err := encodeSite(1, 1, &s); !errors.Is(err, ErrSite) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Arguments that a probe does not give, or that are not wanted, are zero.
func TestEncodeSiteOrder(t *testing.T) {
	one, two, three := int64(1), int64(2), int64(3)
	args := []USDTArg{{Size: 8, Const: &one}, {Size: 8, Const: &two}, {Size: 8, Const: &three}}
	for probe, want := range map[string]struct {
		edge, flags byte
		values      [siteArgs]uint64
	}{
		"thread__start":                        {edgeNone, 0, [siteArgs]uint64{3, 1, 2}},
		"vmops__begin":                         {edgeBegin, 0, [siteArgs]uint64{1, 2, 3}},
		"vmops__end":                           {edgeEnd, 0, [siteArgs]uint64{1, 2}},
		"gc__begin":                            {edgeBegin, 0, [siteArgs]uint64{0, 0, 1}},
		"gc__end":                              {edge: edgeEnd},
		"ObjectMonitor::enter_internal":        {edgeNone, monitorFunc, [siteArgs]uint64{0, 1}},
		"ObjectMonitor::enter_internal:return": {flags: monitorFunc},
	} {
		raw, err := encodeSite(1, 1, &USDTSite{Probe: probe, Args: args})
		if err != nil {
			t.Fatal(probe, err)
		}
		check(t, probe+": edge", raw[5], want.edge)
		check(t, probe+": flags", raw[6], want.flags)
		for i, v := range want.values {
			check(t, probe+": argument", le.Uint64(raw[siteArgsAt+8+16*i:]), v)
		}
	}
}
