package jvm

import (
	"errors"
	"fmt"
)

// HotSpot exports tables that describe its own structures for the
// serviceability agent: gHotSpotVMStructs (type, field, offset or address)
// and gHotSpotVMTypes (type, size). Even the layout of their rows is exported,
// so nothing here depends on a JDK's version (vmStructs.hpp).

const (
	maxRows   = 1 << 15 // JDK 17 has 2,600 fields and 1,000 types
	maxStride = 256     // a row has 48 bytes
	chunk     = 64      // rows read at once
)

var errTable = errors.New("its tables make no sense")

// table is one exported array of rows; it ends with a row without a name.
type table struct {
	m            *memory
	base, stride uint64
}

func (m *memory) table(array, stride string) (t table, err error) {
	t.m = m
	if t.base, err = m.symbol(array); err != nil {
		return t, err
	}
	if t.stride, err = m.symbol(stride); err != nil {
		return t, err
	}
	if t.stride < 8 || t.stride > maxStride {
		return t, fmt.Errorf("%w: %s is %d", errTable, stride, t.stride)
	}
	return t, nil
}

// column is the place of a field within a row.
func (t table) column(symbol string) (uint64, error) {
	at, err := t.m.symbol(symbol)
	if err == nil && at > t.stride-8 {
		err = fmt.Errorf("%w: %s is %d", errTable, symbol, at)
	}
	return at, err
}

func (t table) columns(symbols ...string) ([]uint64, error) {
	out := make([]uint64, len(symbols))
	for i, s := range symbols {
		var err error
		if out[i], err = t.column(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// each calls visit with every row until the name in the column is null or
// visit is done.
func (t table) each(name uint64, visit func(row []byte) (done bool, err error)) error {
	buf := make([]byte, chunk*t.stride)
	for i := uint64(0); i < maxRows; i++ {
		at := i % chunk * t.stride
		if at == 0 {
			if err := t.fill(buf, t.base+i*t.stride); err != nil {
				return err
			}
		}
		row := buf[at : at+t.stride]
		if t.m.order.Uint64(row[name:]) == 0 {
			return nil
		}
		if done, err := visit(row); done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: more than %d rows", errTable, maxRows)
}

// fill reads rows; where the table ends near the end of a mapping, what is
// beyond stays zero, as its last row is.
func (t table) fill(buf []byte, addr uint64) error {
	clear(buf)
	if err := t.m.read(buf, addr); err == nil {
		return nil
	}
	for at := uint64(0); at < uint64(len(buf)); at += t.stride {
		if err := t.m.read(buf[at:at+t.stride], addr+at); err != nil {
			if at == 0 {
				return err
			}
			return nil
		}
	}
	return nil
}
