package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// eventField is a field of an event: the program expects it at a fixed offset,
// or is told by a knob (one element of a constant array) where it is.
type eventField struct {
	name  string
	size  uint32 // 0: not the same in all kernels, nor of interest
	at    uint32
	knob  string
	index int
}

func (f *eventField) place(spec *ebpf.CollectionSpec, have field) error {
	if have.size == 0 || f.size != 0 && have.size != f.size || f.knob == "" && have.offset != f.at {
		return fmt.Errorf("%w: field %s at %d of %d bytes", ErrLayout, f.name, have.offset, have.size)
	}
	if f.knob == "" {
		return nil
	}
	v := spec.Variables[f.knob]
	offsets := make([]uint32, v.Size()/4)
	if err := v.Get(offsets); err != nil {
		return fmt.Errorf("knob %s: %w", f.knob, err)
	}
	offsets[f.index] = have.offset
	return v.Set(offsets)
}

// place finds the event in tracefs and tells spec where its fields are.
func (h *hook) place(tracefs string, spec *ebpf.CollectionSpec) error {
	fields, err := eventFields(tracefs, h.group, h.name)
	if err != nil {
		return fmt.Errorf("event %s:%s: %w", h.group, h.name, err)
	}
	for i := range h.fields {
		if err := h.fields[i].place(spec, fields[h.fields[i].name]); err != nil {
			return fmt.Errorf("event %s:%s: %w", h.group, h.name, err)
		}
	}
	return nil
}
