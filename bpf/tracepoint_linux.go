package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// tracepoint is one event, the program for it, and the fields that the program
// reads.
type tracepoint struct {
	group, name string
	program     string
	fields      []eventField
}

// eventField is a field of an event: the program expects it at a fixed offset,
// or is told by a knob (one element of a constant array) where it is.
type eventField struct {
	name  string
	size  uint32
	at    uint32
	knob  string
	index int
}

func (f *eventField) place(spec *ebpf.CollectionSpec, have field) error {
	if have.size != f.size || f.knob == "" && have.offset != f.at {
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

// lookUp finds the event in tracefs and tells spec where its fields are.
func (t *tracepoint) lookUp(tracefs string, spec *ebpf.CollectionSpec) error {
	fields, err := eventFields(tracefs, t.group, t.name)
	if err != nil {
		return fmt.Errorf("event %s:%s: %w", t.group, t.name, err)
	}
	for i := range t.fields {
		if err := t.fields[i].place(spec, fields[t.fields[i].name]); err != nil {
			return fmt.Errorf("event %s:%s: %w", t.group, t.name, err)
		}
	}
	return nil
}

// attachTracepoints loads the programs of those events that are here and
// attaches them in the given order. All or nothing, but for optional events:
// attached is false unless every event that is not optional is attached.
func (p *Probes) attachTracepoints(events, optional []tracepoint) (attached bool, err error) {
	spec := p.spec.Copy()
	for i := range events {
		if err := events[i].lookUp(p.tracefs, spec); err != nil {
			return false, err
		}
	}
	var missing error
	for i := range optional {
		if err := optional[i].lookUp(p.tracefs, spec); err != nil {
			missing = errors.Join(missing, err)
			continue
		}
		events = append(events[:len(events):len(events)], optional[i])
	}
	coll, err := p.load(spec, programsOf(events)...)
	if err != nil {
		return false, err
	}
	links, err := attachEvents(coll, events)
	if err != nil {
		coll.Close()
		return false, err
	}
	p.keep(coll, links)
	return true, missing
}

func programsOf(events []tracepoint) []string {
	var names []string
	for _, e := range events {
		names = append(names, e.program)
	}
	return names
}

func attachEvents(coll *ebpf.Collection, events []tracepoint) ([]link.Link, error) {
	var links []link.Link
	for _, e := range events {
		l, err := link.Tracepoint(e.group, e.name, coll.Programs[e.program], nil)
		if err != nil {
			closeAll(links)
			return nil, fmt.Errorf("attach to %s:%s: %w", e.group, e.name, err)
		}
		links = append(links, l)
	}
	return links, nil
}

// closeAll detaches in the reverse order.
func closeAll(links []link.Link) error {
	var err error
	for i := len(links) - 1; i >= 0; i-- {
		err = errors.Join(err, links[i].Close())
	}
	return err
}
