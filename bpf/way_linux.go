package bpf

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Backends: the manners in which a program is attached.
const (
	Fentry     = "fentry"     // fentry and fexit: trampolines at a function's start and end
	TpBTF      = "tp_btf"     // tracepoints whose arguments BTF types
	RawTP      = "raw_tp"     // tracepoints by their bare arguments
	Tracepoint = "tracepoint" // perf's tracepoints, by the event's record
	Kprobe     = "kprobe"     // breakpoints in the kernel
	PerfEvent  = "perf_event" // a clock on every CPU
)

// hook is one program and what it is attached to.
type hook struct {
	program string
	// Of perf's tracepoints only; all others say in their section what they
	// are attached to.
	group, name string
	fields      []eventField
	optional    bool // the way works without it
}

// way is one manner of seeing a subject: all of its hooks attach, or none, but
// for optional ones.
type way struct {
	backend string
	hooks   []hook
}

// subject is one thing to be seen, and the ways to it, the best first.
type subject struct {
	name string
	ways []way
}

// Attempt is a way that was tried, and why it does not work here.
type Attempt struct {
	Backend string
	Err     error
}

// attachSubject takes the first way that loads and attaches. What is decided
// here is decided by trying, never by a version.
func (p *Probes) attachSubject(s subject) {
	got := Subject{Name: s.name}
	for _, w := range s.ways {
		if p.only != nil && !slices.Contains(p.only, w.backend) {
			continue
		}
		attached, err := p.tryWay(w)
		if attached {
			got.Backend, got.Attached, got.Err = w.backend, true, judge(err)
			break
		}
		got.Tried = append(got.Tried, Attempt{w.backend, judge(err)})
	}
	if !got.Attached {
		got.Err = fmt.Errorf("%w: no backend asked for", ErrNotHere)
		if n := len(got.Tried); n > 0 {
			got.Err = got.Tried[n-1].Err
		}
	}
	p.add(got)
}

// tryWay attaches all hooks of a way in the given order, or nothing. An error
// beside attached tells of an optional hook.
func (p *Probes) tryWay(w way) (attached bool, missing error) {
	spec := p.spec.Copy()
	hooks := make([]hook, 0, len(w.hooks))
	for _, h := range w.hooks {
		err := p.lookUp(&h, spec)
		if err == nil {
			hooks = append(hooks, h)
			continue
		}
		if !h.optional {
			return false, err
		}
		missing = errors.Join(missing, err)
	}
	coll, err := p.load(spec, programsOf(hooks)...)
	if err != nil {
		return false, err
	}
	var links []link.Link
	for _, h := range hooks {
		l, err := attachHook(&h, spec.Programs[h.program], coll.Programs[h.program])
		if err != nil && h.optional {
			missing = errors.Join(missing, err)
			continue
		}
		if err != nil {
			_ = closeAll(links)
			coll.Close()
			return false, err
		}
		links = append(links, l)
	}
	p.keep(coll, links)
	return true, missing
}

func programsOf(hooks []hook) []string {
	var names []string
	for _, h := range hooks {
		names = append(names, h.program)
	}
	return names
}

// lookUp finds the event of a perf tracepoint and tells spec where its fields
// are; the other kinds of programs have nothing to look up.
func (p *Probes) lookUp(h *hook, spec *ebpf.CollectionSpec) error {
	if spec.Programs[h.program] == nil {
		return fmt.Errorf("no program %s", h.program)
	}
	if h.group == "" {
		return nil
	}
	if p.noTracefs != nil {
		return p.noTracefs
	}
	return h.place(p.tracefs, spec)
}

func attachHook(h *hook, spec *ebpf.ProgramSpec, prog *ebpf.Program) (l link.Link, err error) {
	to := spec.AttachTo
	switch {
	case spec.Type == ebpf.TracePoint:
		to = h.group + ":" + h.name
		l, err = link.Tracepoint(h.group, h.name, prog, nil)
	case spec.Type == ebpf.Tracing:
		l, err = link.AttachTracing(link.TracingOptions{Program: prog, AttachType: spec.AttachType})
	case spec.Type == ebpf.RawTracepoint:
		l, err = link.AttachRawTracepoint(link.RawTracepointOptions{Name: to, Program: prog})
	case spec.Type == ebpf.Kprobe && strings.HasPrefix(spec.SectionName, "kretprobe/"):
		l, err = link.Kretprobe(to, prog, nil)
	case spec.Type == ebpf.Kprobe:
		l, err = link.Kprobe(to, prog, nil)
	default:
		return nil, fmt.Errorf("program %s: nothing attaches a %s", h.program, spec.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", to, err)
	}
	return l, nil
}

// closeAll detaches in the reverse order.
func closeAll(links []link.Link) error {
	var err error
	for i := len(links) - 1; i >= 0; i-- {
		err = errors.Join(err, links[i].Close())
	}
	return err
}
