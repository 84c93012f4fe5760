package jvm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// ErrNoMemory says that the JVM's memory may not be read: it takes the rights
// of ptrace (same uid and dumpable, or CAP_SYS_PTRACE).
var ErrNoMemory = errors.New("its memory may not be read")

// errNoSymbol: only HotSpot exports the tables that describe itself.
var errNoSymbol = errors.New("no HotSpot: libjvm.so has no symbol")

// memory reads a JVM's address space and knows libjvm's exported symbols and
// writable data. The JVM does not stop for it.
type memory struct {
	f        *os.File
	symbols  map[string]uint64 // address in the process
	data     []span            // libjvm's writable segments in the process
	order    binary.ByteOrder
	writable bool // f is open for writing, too
}

// span is a range of addresses, its end excluded.
type span struct{ start, end uint64 }

// openMemory opens the process's memory for reading; the caller closes it.
func (p proc) openMemory(lib library) (*memory, error) { return p.openMemoryFor(lib, os.O_RDONLY) }

func (p proc) openMemoryFor(lib library, mode int) (*memory, error) {
	image, err := elf.Open(lib.path)
	if err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	defer image.Close()
	if image.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("open library: %v is not supported", image.Class)
	}
	bias, ok := lib.bias(image)
	if !ok {
		return nil, fmt.Errorf("open library: no segment at its first mapping")
	}
	all, err := image.DynamicSymbols()
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", err)
	}
	m := &memory{symbols: make(map[string]uint64, len(all)), order: image.ByteOrder, writable: mode != os.O_RDONLY}
	for _, s := range all {
		m.symbols[s.Name] = s.Value + bias
	}
	for _, s := range image.Progs {
		if s.Type == elf.PT_LOAD && s.Flags&elf.PF_W != 0 {
			m.data = append(m.data, span{s.Vaddr + bias, s.Vaddr + bias + s.Memsz})
		}
	}
	if m.f, err = os.OpenFile(p.path("mem"), mode, 0); err != nil {
		if errors.Is(gone(err), ErrGone) {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("%w: %w", ErrNoMemory, err)
	}
	return m, nil
}

// bias is the distance between linked and loaded addresses.
func (l library) bias(image *elf.File) (uint64, bool) {
	for _, p := range image.Progs {
		if p.Type == elf.PT_LOAD && l.offset >= p.Off&^0xfff && l.offset < p.Off+p.Filesz {
			return l.start - (p.Vaddr + l.offset - p.Off), true
		}
	}
	return 0, false
}

func (m *memory) Close() error { return m.f.Close() }

// read fills b from an address.
func (m *memory) read(b []byte, addr uint64) error {
	if int64(addr) <= 0 { // null, or nowhere in user space
		return fmt.Errorf("read %d bytes at %#x: no address", len(b), addr)
	}
	if _, err := m.f.ReadAt(b, int64(addr)); err != nil {
		return fmt.Errorf("read %d bytes at %#x: %w", len(b), addr, err)
	}
	return nil
}

func (m *memory) word(addr uint64) (uint64, error) {
	var b [8]byte
	err := m.read(b[:], addr)
	return m.order.Uint64(b[:]), err
}

// symbol reads the 8-byte variable of that name.
func (m *memory) symbol(name string) (uint64, error) {
	addr, ok := m.symbols[name]
	if !ok {
		return 0, fmt.Errorf("%w %s", errNoSymbol, name)
	}
	v, err := m.word(addr)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// maxText bounds the names that are compared; a longer one is cut and so
// equals none of ours.
const maxText = 48

// text reads a C string. It may stand at the end of a mapping, so it is read
// up to the end of its page first.
func (m *memory) text(addr uint64) (string, error) {
	var b [maxText]byte
	for n := 0; n < len(b); {
		step := min(len(b)-n, int(0x1000-(addr+uint64(n))&0xfff))
		if err := m.read(b[n:n+step], addr+uint64(n)); err != nil {
			return "", err
		}
		if i := bytes.IndexByte(b[n:n+step], 0); i >= 0 {
			return string(b[:n+i]), nil
		}
		n += step
	}
	return string(b[:]), nil
}
