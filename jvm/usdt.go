package jvm

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	maxNotes  = 16 << 20 // libjvm's .note.stapsdt has 55 KB
	maxProbes = 1 << 14  // libjvm has 530
	maxName   = 256      // of a provider or probe
	maxSpec   = 1 << 10  // of a site's arguments

	noteStapsdt = 3 // NT_STAPSDT
)

// ErrNoProbes says that the library carries no USDT probe of that provider:
// its JDK was built without --enable-dtrace.
var ErrNoProbes = errors.New("no USDT probes")

// Probe is one USDT site. A probe of one name may have several.
type Probe struct {
	Name       string
	FileOffset uint64 // of the site, as a uprobe wants it
	Semaphore  uint64 // file offset of its counter; 0: the site is always on
	Args       []Arg
}

// monitorProbes of the provider "hotspot", in the order of a contended wait.
var monitorProbes = []string{"monitor__contended__enter", "monitor__contended__entered", "monitor__contended__exit"}

// MonitorSites are the sites of hotspot's three probes of a contended
// monitor. One of them without a site is ErrNoProbes: a wait without its end
// says nothing.
func MonitorSites(libjvm string) ([]Probe, error) {
	sites, err := Probes(libjvm, "hotspot", monitorProbes...)
	if err != nil {
		return nil, err
	}
	for _, name := range monitorProbes {
		if !slices.ContainsFunc(sites, func(p Probe) bool { return p.Name == name }) {
			return nil, fmt.Errorf("%w: %s is missing", ErrNoProbes, name)
		}
	}
	return sites, nil
}

// Probes reads the USDT sites of a provider from a library's .note.stapsdt,
// all of them or those of the given names.
func Probes(path, provider string, names ...string) ([]Probe, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	defer f.Close()
	if f.Class != elf.ELFCLASS64 {
		return nil, fmt.Errorf("%w: %v is not supported", ErrNoProbes, f.Class)
	}
	section := f.Section(".note.stapsdt")
	if section == nil {
		return nil, fmt.Errorf("%w: no .note.stapsdt section", ErrNoProbes)
	}
	if section.Size > maxNotes {
		return nil, fmt.Errorf("read .note.stapsdt: %d bytes", section.Size)
	}
	data, err := section.Data()
	if err != nil {
		return nil, fmt.Errorf("read .note.stapsdt: %w", err)
	}
	notes, err := parseNotes(data, f.ByteOrder)
	if err != nil {
		return nil, fmt.Errorf("parse .note.stapsdt: %w", err)
	}
	var out []Probe
	for _, n := range notes {
		if n.provider != provider || len(names) > 0 && !slices.Contains(names, n.name) {
			continue
		}
		p, err := n.locate(f)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w of provider %s", ErrNoProbes, provider)
	}
	return out, nil
}

// note is one entry of .note.stapsdt, its addresses as they were linked.
type note struct {
	pc, base, semaphore  uint64
	provider, name, args string
}

// locate turns addresses into file offsets. A prelinker moves the code but
// not the notes: the distance shows at the section .stapsdt.base.
func (n note) locate(f *elf.File) (Probe, error) {
	var moved uint64
	if base := f.Section(".stapsdt.base"); base != nil {
		moved = base.Addr - n.base
	}
	p := Probe{Name: n.name, Args: parseArgs(n.args)}
	var ok bool
	if p.FileOffset, ok = fileOffset(f, n.pc+moved, elf.PF_X); !ok {
		return Probe{}, fmt.Errorf("locate probe %s: no code at %#x", n.name, n.pc+moved)
	}
	if n.semaphore != 0 {
		if p.Semaphore, ok = fileOffset(f, n.semaphore+moved, elf.PF_W); !ok {
			return Probe{}, fmt.Errorf("locate probe %s: no data at %#x", n.name, n.semaphore+moved)
		}
	}
	return p, nil
}

// fileOffset finds the loaded segment that holds an address.
func fileOffset(f *elf.File, addr uint64, flag elf.ProgFlag) (uint64, bool) {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&flag != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return p.Off + addr - p.Vaddr, true
		}
	}
	return 0, false
}

var errNote = errors.New("a note is cut off")

// parseNotes walks ELF notes: sizes of name and description, type, name,
// description, the latter two padded to 4 bytes.
func parseNotes(b []byte, order binary.ByteOrder) ([]note, error) {
	var out []note
	for len(b) > 0 {
		if len(b) < 12 {
			return nil, errNote
		}
		name, desc := uint64(order.Uint32(b)), uint64(order.Uint32(b[4:]))
		kind := order.Uint32(b[8:])
		b = b[12:]
		if pad4(name)+pad4(desc) > uint64(len(b)) {
			return nil, errNote
		}
		owner, text := b[:name], b[pad4(name):][:desc]
		b = b[pad4(name)+pad4(desc):]
		if kind != noteStapsdt || string(owner) != "stapsdt\x00" {
			continue
		}
		n, err := parseNote(text, order)
		if err != nil {
			return nil, err
		}
		if out = append(out, n); len(out) > maxProbes {
			return nil, fmt.Errorf("more than %d probes", maxProbes)
		}
	}
	return out, nil
}

func pad4(n uint64) uint64 { return (n + 3) &^ 3 }

// parseNote reads a description: three addresses, three strings.
func parseNote(b []byte, order binary.ByteOrder) (n note, err error) {
	if len(b) < 24 {
		return note{}, errNote
	}
	n.pc, n.base, n.semaphore = order.Uint64(b), order.Uint64(b[8:]), order.Uint64(b[16:])
	b = b[24:]
	for _, field := range []struct {
		to    *string
		limit int
	}{{&n.provider, maxName}, {&n.name, maxName}, {&n.args, maxSpec}} {
		i := bytes.IndexByte(b, 0)
		if i < 0 || i > field.limit {
			return note{}, errNote
		}
		*field.to = string(b[:i])
		b = b[i+1:]
	}
	return n, nil
}
