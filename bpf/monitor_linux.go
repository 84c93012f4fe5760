package bpf

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cilium/ebpf"
)

const (
	maxSites = 1024 // of all processes: SITES_MAX
	siteArgs = 4    // SITE_ARGS
	siteSize = 8 + 16*siteArgs
)

// ErrSite says that a USDT site cannot be attached to as it is described.
var ErrSite = errors.New("unusable probe site")

// monitors is how sites are attached: the program, in the form of the backend
// that works here, and which entries of the table of sites are free.
type monitors struct {
	mu       sync.Mutex
	programs map[ebpf.AttachType]*ebpf.Program
	free     []uint32
	open     map[*attachment]struct{}
	closed   bool
	only     siteWay // a test's: the one way to attach
}

// attachment is one AttachSites: closing it detaches.
type attachment struct {
	p       *Probes
	links   []io.Closer
	indexes []uint32
	copies  []*ebpf.Collection // see attachCopies
}

// openMonitors tries whether the program loads at all.
func (p *Probes) openMonitors() {
	m := &p.monitors
	m.programs = map[ebpf.AttachType]*ebpf.Program{}
	m.open = map[*attachment]struct{}{}
	for i := range uint32(maxSites) {
		m.free = append(m.free, maxSites-1-i)
	}
	_, err := p.monitorProgram(ebpf.AttachTraceUprobeMulti)
	if err != nil {
		_, err = p.monitorProgram(ebpf.AttachNone)
	}
	if err != nil {
		err = p.tryProgram(probesProgMonitor, map[string]any{probesVarOwnSite: uint32(1)})
	}
	p.add(Subject{Name: SubjectMonitor, Err: judge(err)})
}

// monitorProgram is the program as one backend wants it: the kernel asks when
// it is loaded.
func (p *Probes) monitorProgram(how ebpf.AttachType) (*ebpf.Program, error) {
	if prog := p.monitors.programs[how]; prog != nil {
		return prog, nil
	}
	spec := p.spec.Copy()
	spec.Programs[probesProgMonitor].AttachType = how
	coll, err := p.load(spec, probesProgMonitor)
	if err != nil {
		return nil, fmt.Errorf("load monitor program: %w", err)
	}
	p.keep([]*ebpf.Collection{coll}, nil)
	p.monitors.programs[how] = coll.Programs[probesProgMonitor]
	return p.monitors.programs[how], nil
}

// AttachSites puts the monitor probes on the sites of a process's libjvm;
// closing the result takes them off again; after Close it is [os.ErrClosed]. The
// process need not be traced by [Probes.Trace]. libjvm is a path that opens here, behind /proc/PID/root.
//
// A probe belongs to the file: other JVMs of the same file hit it too, once
// their own flag DTraceMonitorProbes is on, and are turned away in the program.
// The kernel's own filter by process is not used: uprobe_multi had it match one
// thread only until 46ba0e49b642 ("bpf: fix multi-uprobe PID filtering logic").
func (p *Probes) AttachSites(pid int32, libjvm string, sites []USDTSite) (io.Closer, error) {
	m := &p.monitors
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, os.ErrClosed
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrSite)
	}
	a := &attachment{p: p}
	if err := a.describe(uint32(pid), sites); err != nil {
		return nil, errors.Join(err, a.release())
	}
	backend, err := a.attach(libjvm, sites)
	if err != nil {
		return nil, errors.Join(judge(err), a.release())
	}
	m.open[a] = struct{}{}
	p.monitorStatus(backend)
	return a, nil
}

// describe writes the sites into the table that the program reads.
func (a *attachment) describe(tgid uint32, sites []USDTSite) error {
	m := &a.p.monitors
	for i := range sites {
		raw, err := encodeSite(tgid, &sites[i])
		if err != nil {
			return fmt.Errorf("site %s at %#x: %w", sites[i].Probe, sites[i].FileOffset, err)
		}
		if len(m.free) == 0 {
			return fmt.Errorf("%w: more than %d in all", ErrSite, maxSites)
		}
		index := m.free[len(m.free)-1]
		m.free = m.free[:len(m.free)-1]
		a.indexes = append(a.indexes, index)
		if err := a.p.shared.Maps[probesMapSites].Put(index, raw[:]); err != nil {
			return fmt.Errorf("describe site: %w", err)
		}
	}
	return nil
}

// Close detaches; the second time it does nothing.
func (a *attachment) Close() error {
	m := &a.p.monitors
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.open[a]; !ok {
		return nil
	}
	delete(m.open, a)
	err := a.release()
	if len(m.open) == 0 {
		a.p.monitorStatus("")
	}
	return err
}

// release detaches, then gives back the entries of the table: no program looks
// at them any more.
func (a *attachment) release() error {
	err := a.detach()
	var unused [siteSize]byte
	for _, index := range a.indexes {
		err = errors.Join(err, a.p.shared.Maps[probesMapSites].Put(index, unused[:]))
		a.p.monitors.free = append(a.p.monitors.free, index)
	}
	a.indexes = nil
	return err
}

func (m *monitors) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	var err error
	for a := range m.open {
		err = errors.Join(err, a.detach())
	}
	clear(m.open)
	return err
}

func (p *Probes) monitorStatus(backend string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.subjects {
		if s := &p.subjects[i]; s.Name == SubjectMonitor {
			s.Backend, s.Attached, s.Err = backend, backend != "", nil
		}
	}
}
