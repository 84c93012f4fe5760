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

	siteArgsAt = 16
	siteSize   = siteArgsAt + 16*siteArgs
)

// ErrSite says that a site cannot be attached to as it is described.
var ErrSite = errors.New("unusable probe site")

// sites is what is attached to libraries, and by what: the groups' programs, each
// in the forms of the ways that were needed, and which entries of the table of
// sites are free.
type sites struct {
	mu       sync.Mutex
	programs map[form]*ebpf.Program
	free     []uint32
	open     map[*attachment]struct{}
	opened   uint64 // attachments so far
	closed   bool
	only     siteWay // a test's: the one way to attach
}

// form is a program as one way wants it: the kernel asks when it is loaded.
type form struct {
	program string
	how     ebpf.AttachType
}

// attachment is one AttachSites: closing it detaches.
type attachment struct {
	p       *Probes
	backend string
	sites   []attachedSite
	links   []io.Closer
	copies  []*ebpf.Collection // see attachCopies
}

// attachedSite is a site with its entry of the table.
type attachedSite struct {
	group
	offset uint64
	index  uint32
}

// openSites tries whether the programs load at all.
func (p *Probes) openSites() {
	m := &p.sites
	m.programs = map[form]*ebpf.Program{}
	m.open = map[*attachment]struct{}{}
	for i := range uint32(maxSites) {
		m.free = append(m.free, maxSites-1-i)
	}
	for _, g := range groups {
		_, err := p.siteProgram(form{g.program, ebpf.AttachTraceUprobeMulti})
		if err != nil {
			_, err = p.siteProgram(form{g.program, ebpf.AttachNone})
		}
		if err != nil {
			err = p.tryProgram(g.program, map[string]any{probesVarOwnSite: uint32(1)})
		}
		p.add(Subject{Name: g.subject, Err: judge(err)})
	}
}

func (p *Probes) siteProgram(f form) (*ebpf.Program, error) {
	if prog := p.sites.programs[f]; prog != nil {
		return prog, nil
	}
	spec := p.spec.Copy()
	spec.Programs[f.program].AttachType = f.how
	coll, err := p.load(spec, f.program)
	if err != nil {
		return nil, fmt.Errorf("load program %s: %w", f.program, err)
	}
	p.keep([]*ebpf.Collection{coll}, nil)
	p.sites.programs[f] = coll.Programs[f.program]
	return p.sites.programs[f], nil
}

// AttachSites puts probes on the sites of a process's libjvm, of one subject or of
// several; closing the result takes them off again; after Close it is
// [os.ErrClosed]. The process need not be traced by [Probes.Trace]. libjvm is a
// path that opens here, behind /proc/PID/root.
//
// A probe belongs to the file: other JVMs of the same file hit it too (those of
// monitors once their own flag DTraceMonitorProbes is on), and are turned away in
// the program. The kernel's own filter by process is not used: uprobe_multi had it
// match one thread only until 46ba0e49b642 ("bpf: fix multi-uprobe PID filtering
// logic").
func (p *Probes) AttachSites(pid int32, libjvm string, all []USDTSite) (io.Closer, error) {
	m := &p.sites
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, os.ErrClosed
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrSite)
	}
	a := &attachment{p: p}
	if err := a.describe(uint32(pid), all); err != nil {
		return nil, errors.Join(err, a.release())
	}
	if err := a.attach(libjvm); err != nil {
		return nil, errors.Join(judge(err), a.release())
	}
	m.open[a] = struct{}{}
	p.siteStatus()
	return a, nil
}

// describe writes the sites into the table that the programs read.
func (a *attachment) describe(tgid uint32, all []USDTSite) error {
	m := &a.p.sites
	m.opened++
	for i := range all {
		s := &all[i]
		raw, err := encodeSite(tgid, m.opened, s)
		if err != nil {
			return fmt.Errorf("site %s at %#x: %w", s.Probe, s.FileOffset, err)
		}
		if len(m.free) == 0 {
			return fmt.Errorf("%w: more than %d in all", ErrSite, maxSites)
		}
		index := m.free[len(m.free)-1]
		m.free = m.free[:len(m.free)-1]
		a.sites = append(a.sites, attachedSite{siteKinds[s.Probe].group, s.FileOffset, index})
		if err := a.p.shared.Maps[probesMapSites].Put(index, raw[:]); err != nil {
			return fmt.Errorf("describe site: %w", err)
		}
	}
	return nil
}

// Close detaches; the second time it does nothing.
func (a *attachment) Close() error {
	m := &a.p.sites
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.open[a]; !ok {
		return nil
	}
	delete(m.open, a)
	err := a.release()
	a.p.siteStatus()
	return err
}

// release detaches, then gives back the entries of the table: no program looks
// at them any more.
func (a *attachment) release() error {
	err := a.detach()
	var unused [siteSize]byte
	for _, s := range a.sites {
		err = errors.Join(err, a.p.shared.Maps[probesMapSites].Put(s.index, unused[:]))
		a.p.sites.free = append(a.p.sites.free, s.index)
	}
	a.sites = nil
	return err
}

func (m *sites) close() error {
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

// siteStatus says of each group by what it is attached, if to any process. What
// was attached once lacks nothing.
func (p *Probes) siteStatus() {
	attached := map[string]string{} // backend by subject
	for a := range p.sites.open {
		for _, s := range a.sites {
			attached[s.subject] = a.backend
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.subjects {
		if s := &p.subjects[i]; PerProcess(s.Name) {
			s.Backend = attached[s.Name]
			if s.Attached = s.Backend != ""; s.Attached {
				s.Err = nil
			}
		}
	}
}
