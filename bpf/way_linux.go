package bpf

import (
	"errors"
	"fmt"
	"io"
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
	rate        int  // of a clock only: hits a second and CPU
	optional    bool // the way works without it

	// prepare looks up in the kernel what the program must be told; nil: nothing.
	prepare func(*ebpf.CollectionSpec) error
}

// way is one manner of seeing a subject: all of its hooks attach, or none, but
// for optional ones.
type way struct {
	backend string
	hooks   []hook
	typed   bool // all pointers of its programs come from BTF's types
	// trial, once all is attached, tries whether it sees what it should; nil:
	// that it is attached is enough.
	trial func(*Probes) error
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
	a := attempt{p: p}
	for _, hooks := range w.parts() {
		part := attempt{p: p}
		if err := part.attach(&w, hooks); err != nil {
			part.undo()
			if !hooks[0].optional {
				return false, err // it is the first part
			}
			missing = errors.Join(missing, err)
			continue
		}
		a.loaded = append(a.loaded, part.loaded...)
		a.links = append(a.links, part.links...)
	}
	if w.trial != nil {
		if err := w.trial(p); err != nil {
			a.undo()
			return false, err
		}
	}
	p.keep(a.loaded, a.links)
	return true, missing
}

// parts are the hooks that are loaded together: those that the way needs, and
// every optional one by itself.
func (w *way) parts() [][]hook {
	var parts [][]hook
	var needed []hook
	for i, h := range w.hooks {
		if h.optional {
			parts = append(parts, w.hooks[i:i+1])
		} else {
			needed = append(needed, h)
		}
	}
	return slices.Insert(parts, 0, needed)
}

// attempt is what has been loaded and attached of a way so far.
type attempt struct {
	p      *Probes
	loaded []*ebpf.Collection
	links  []io.Closer
}

func (a *attempt) attach(w *way, hooks []hook) error {
	spec := a.p.spec.Copy()
	if err := spec.Variables[probesVarTyped].Set(w.typed); err != nil {
		return fmt.Errorf("set %s: %w", probesVarTyped, err)
	}
	var names []string
	for i := range hooks {
		if err := a.p.lookUp(&hooks[i], spec); err != nil {
			return err
		}
		names = append(names, hooks[i].program)
	}
	coll, err := a.p.load(spec, names...)
	if err != nil {
		return err
	}
	a.loaded = append(a.loaded, coll)
	for i := range hooks {
		h := &hooks[i]
		l, err := attachHook(h, spec.Programs[h.program], coll.Programs[h.program])
		if err != nil {
			return err
		}
		a.links = append(a.links, l)
	}
	return nil
}

func (a *attempt) undo() {
	if err := closeAll(a.links); err != nil {
		a.p.log.Warn("detach", "error", err)
	}
	for _, c := range a.loaded {
		c.Close()
	}
}

// lookUp finds the event of a perf tracepoint and tells spec where its fields
// are; the other kinds of programs have nothing to look up.
func (p *Probes) lookUp(h *hook, spec *ebpf.CollectionSpec) error {
	if spec.Programs[h.program] == nil {
		return fmt.Errorf("no program %s", h.program)
	}
	if h.prepare != nil {
		if err := h.prepare(spec); err != nil {
			return err
		}
	}
	if h.group == "" {
		return nil
	}
	if p.noTracefs != nil {
		return p.noTracefs
	}
	return h.place(p.tracefs, spec)
}

func attachHook(h *hook, spec *ebpf.ProgramSpec, prog *ebpf.Program) (l io.Closer, err error) {
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
	case spec.Type == ebpf.PerfEvent:
		to = "the clock"
		l, err = startClock(prog, h.rate)
	default:
		return nil, fmt.Errorf("program %s: nothing attaches a %s", h.program, spec.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("attach to %s: %w", to, err)
	}
	return l, nil
}

// closeAll detaches in the reverse order.
func closeAll(links []io.Closer) error {
	var err error
	for i := len(links) - 1; i >= 0; i-- {
		err = errors.Join(err, links[i].Close())
	}
	return err
}
