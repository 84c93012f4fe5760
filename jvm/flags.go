package jvm

import (
	"errors"
	"fmt"
)

const (
	// probeFlag switches hotspot's monitor probes; ExtendedDTraceProbes
	// switches it and others on when the JVM starts.
	probeFlag = "DTraceMonitorProbes"
	allProbes = "ExtendedDTraceProbes"

	maxFlags    = 1 << 13 // JDK 17 has 1,500
	maxFlagSize = 128     // sizeof(JVMFlag): 24 to 40
)

// ErrNoFlag says that this JVM has no such flag: it was built without
// --enable-dtrace.
var ErrNoFlag = errors.New("no flag " + probeFlag)

// MonitorProbes says whether the JVM fires its monitor probes now. The answer
// comes from the JVM's memory; where that may not be read, from its command
// line and its option variables, as it started. A JVM that is only just
// starting (ErrNoJVM, or off) has not read its options yet: ask again.
func MonitorProbes(root string, pid int32) (on bool, err error) {
	p := proc{root, pid}
	on, err = p.flagInMemory()
	if err == nil || errors.Is(err, ErrGone) || errors.Is(err, ErrNoFlag) || errors.Is(err, ErrNoJVM) {
		return on, err
	}
	on, told := p.flagAtStart()
	if told != nil {
		return false, errors.Join(err, told)
	}
	return on, nil
}

func (p proc) flagInMemory() (bool, error) {
	lib, _, err := p.library(p.view())
	if err != nil {
		return false, err
	}
	m, err := p.openMemory(lib)
	if err != nil {
		return false, err
	}
	defer m.Close()
	row, err := m.flag(probeFlag)
	if err != nil {
		return false, fmt.Errorf("find %s: %w", probeFlag, err)
	}
	value, err := m.boolean(row.addr)
	return value == 1, err
}

// boolean reads a bool of C++: 0 or 1, anything else is none.
func (m *memory) boolean(addr uint64) (byte, error) {
	var b [1]byte
	if err := m.read(b[:], addr); err != nil {
		return 0, err
	}
	if b[0] > 1 {
		return 0, fmt.Errorf("%w: a flag is %d", errTable, b[0])
	}
	return b[0], nil
}

// flagLayout is where JVMFlag keeps what we need.
type flagLayout struct {
	flags, count     uint64 // values of JVMFlag::flags and numFlags
	name, addr, kind uint64 // offsets of _name, _addr and _type
	kindNamed        bool   // _type is a const char *, up to JDK 15, and no int
	size             uint64 // sizeof(JVMFlag)
	typeName         string // Flag up to JDK 9
}

// typeBool is JVMFlag::TYPE_bool, the first of its types (jvmFlag.hpp; the
// serviceability agent's VM.java counts them the same way).
const typeBool = 0

// flagRow is what the table says of one flag.
type flagRow struct {
	addr    uint64 // of its value
	boolean bool   // its type is bool
}

// flag finds a flag by its name.
func (m *memory) flag(flag string) (flagRow, error) {
	l, err := m.flagLayout()
	if err != nil {
		return flagRow{}, err
	}
	all := make([]byte, l.count*l.size)
	if err := m.read(all, l.flags); err != nil {
		return flagRow{}, err
	}
	for i := range l.count {
		row := all[i*l.size:][:l.size]
		name := m.order.Uint64(row[l.name:])
		if name == 0 {
			continue // the last one
		}
		if s, err := m.text(name); err != nil {
			return flagRow{}, err
		} else if s == flag {
			boolean, err := m.isBool(l, row)
			return flagRow{m.order.Uint64(row[l.addr:]), boolean}, err
		}
	}
	return flagRow{}, ErrNoFlag
}

func (m *memory) isBool(l flagLayout, row []byte) (bool, error) {
	if !l.kindNamed {
		return m.order.Uint32(row[l.kind:]) == typeBool, nil
	}
	s, err := m.text(m.order.Uint64(row[l.kind:]))
	return s == "bool", err
}

func (m *memory) flagLayout() (flagLayout, error) {
	var l flagLayout
	if err := m.flagFields(&l); err != nil {
		return l, err
	}
	if err := m.flagSize(&l); err != nil {
		return l, err
	}
	var err error
	if l.flags, err = m.word(l.flags); err != nil {
		return l, err
	}
	if l.count, err = m.word(l.count); err != nil {
		return l, err
	}
	if l.count > maxFlags || l.size < 16 || l.size > maxFlagSize || max(l.name, l.addr) > l.size-8 ||
		l.kind > l.size-4 || l.kindNamed && l.kind > l.size-8 {
		return l, fmt.Errorf("%w: %d flags of %d bytes", errTable, l.count, l.size)
	}
	return l, nil
}

// flagFields reads JVMFlag's rows of gHotSpotVMStructs.
func (m *memory) flagFields(l *flagLayout) error {
	t, err := m.table("gHotSpotVMStructs", "gHotSpotVMStructEntryArrayStride")
	if err != nil {
		return err
	}
	c, err := t.columns("gHotSpotVMStructEntryTypeNameOffset", "gHotSpotVMStructEntryFieldNameOffset",
		"gHotSpotVMStructEntryOffsetOffset", "gHotSpotVMStructEntryAddressOffset", "gHotSpotVMStructEntryTypeStringOffset")
	if err != nil {
		return err
	}
	typeName, fieldName, offset, address, typeString := c[0], c[1], c[2], c[3], c[4]
	missing := 5
	var last uint64 // rows of a type follow each other and share the name
	var isFlag bool
	err = t.each(typeName, func(row []byte) (bool, error) {
		if at := m.order.Uint64(row[typeName:]); at != last {
			name, err := m.text(at)
			if err != nil {
				return false, err
			}
			if last, isFlag = at, name == "JVMFlag" || name == "Flag"; isFlag {
				l.typeName = name
			}
		}
		if !isFlag {
			return false, nil
		}
		field, err := m.text(m.order.Uint64(row[fieldName:]))
		switch field {
		case "flags":
			l.flags = m.order.Uint64(row[address:])
		case "numFlags":
			l.count = m.order.Uint64(row[address:])
		case "_name":
			l.name = m.order.Uint64(row[offset:])
		case "_addr":
			l.addr = m.order.Uint64(row[offset:])
		case "_type":
			l.kind = m.order.Uint64(row[offset:])
			var declared string
			declared, err = m.text(m.order.Uint64(row[typeString:]))
			l.kindNamed = declared != "int"
		default:
			return false, err
		}
		missing--
		return missing == 0, err
	})
	if err == nil && missing > 0 {
		err = fmt.Errorf("%w: %d fields of JVMFlag are missing", errTable, missing)
	}
	return err
}

// flagSize reads sizeof(JVMFlag) of gHotSpotVMTypes.
func (m *memory) flagSize(l *flagLayout) error {
	t, err := m.table("gHotSpotVMTypes", "gHotSpotVMTypeEntryArrayStride")
	if err != nil {
		return err
	}
	c, err := t.columns("gHotSpotVMTypeEntryTypeNameOffset", "gHotSpotVMTypeEntrySizeOffset")
	if err != nil {
		return err
	}
	err = t.each(c[0], func(row []byte) (bool, error) {
		name, err := m.text(m.order.Uint64(row[c[0]:]))
		if err != nil || name != l.typeName {
			return false, err
		}
		l.size = m.order.Uint64(row[c[1]:])
		return true, nil
	})
	if err == nil && l.size == 0 {
		err = fmt.Errorf("%w: no size of %s", errTable, l.typeName)
	}
	return err
}
