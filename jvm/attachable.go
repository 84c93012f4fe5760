package jvm

import (
	"debug/elf"
	"errors"
	"fmt"
	"slices"
)

const noAttachFlag = "DisableAttachMechanism"

// ErrNotHotSpot says that the JVM is another: what a SIGQUIT does there is not
// known (OpenJ9 writes a file).
var ErrNotHotSpot = errors.New("the JVM is not HotSpot")

// attachDisabled says whether a HotSpot JVM takes no questions: from its
// memory, or, where that may not be read, from the options that it was started
// with. Such a JVM would print all its threads on a SIGQUIT.
func (p proc) attachDisabled() (bool, error) {
	lib, _, err := p.library(p.view())
	if err != nil {
		return false, err
	}
	m, err := p.openMemory(lib)
	if errors.Is(err, ErrNoMemory) {
		return p.attachDisabledAtStart(lib)
	}
	if err != nil {
		return false, err
	}
	defer m.Close()
	if _, ok := m.symbols[hotSpotTable]; !ok {
		return false, ErrNotHotSpot
	}
	row, err := m.flag(noAttachFlag)
	if err != nil {
		return false, fmt.Errorf("find %s: %w", noAttachFlag, err)
	}
	value, err := m.boolean(row.addr)
	return value == 1, err
}

const hotSpotTable = "gHotSpotVMStructs"

func (p proc) attachDisabledAtStart(lib library) (disabled bool, err error) {
	image, err := elf.Open(lib.path)
	if err != nil {
		return false, fmt.Errorf("open library: %w", err)
	}
	defer image.Close()
	symbols, err := image.DynamicSymbols()
	if err != nil {
		return false, fmt.Errorf("read symbols: %w", err)
	}
	if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == hotSpotTable }) {
		return false, ErrNotHotSpot
	}
	options, err := p.startOptions()
	for _, o := range options {
		switch o {
		case "-XX:+" + noAttachFlag:
			disabled = true
		case "-XX:-" + noAttachFlag:
			disabled = false
		}
	}
	return disabled, err
}
