package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// siteWay is a way to attach to the sites of a file, and to have the program
// know which of them was hit. None is a uretprobe: from 6.11 on that is a system
// call of the traced process, which seccomp may kill it for.
type siteWay string

const (
	uprobeMulti siteWay = "uprobe_multi" // one link for all sites, since 6.6
	uprobe      siteWay = "uprobe"       // one link a site, with a cookie, since 5.15
	uprobeCopy  siteWay = "uprobe_copy"  // one link a site, and one copy of the program
)

// attach takes the first way that works; what it had attached of the others is
// taken off again.
func (a *attachment) attach(libjvm string) error {
	file, err := link.OpenExecutable(libjvm)
	if err != nil {
		return fmt.Errorf("open %s: %w", libjvm, err)
	}
	for _, w := range []struct {
		siteWay
		attach func(*link.Executable) error
	}{{uprobeMulti, a.attachMulti}, {uprobe, a.attachSingly}, {uprobeCopy, a.attachCopies}} {
		if only := a.p.sites.only; only != "" && only != w.siteWay {
			continue
		}
		e := w.attach(file)
		if e == nil {
			a.backend = string(w.siteWay)
			return nil
		}
		err = errors.Join(err, e, a.detach())
	}
	return err
}

func (a *attachment) attachMulti(file *link.Executable) error {
	for _, g := range groups {
		o := &link.UprobeMultiOptions{}
		for _, s := range a.sites {
			if s.group == g {
				o.Addresses = append(o.Addresses, s.offset)
				o.Cookies = append(o.Cookies, uint64(s.index))
			}
		}
		if len(o.Addresses) == 0 {
			continue
		}
		prog, err := a.p.siteProgram(form{g.program, ebpf.AttachTraceUprobeMulti})
		if err != nil {
			return err
		}
		l, err := file.UprobeMulti(nil, prog, o)
		if err != nil {
			return fmt.Errorf("attach uprobe_multi: %w", err)
		}
		a.links = append(a.links, l)
	}
	return nil
}

func (a *attachment) attachSingly(file *link.Executable) error {
	for _, s := range a.sites {
		prog, err := a.p.siteProgram(form{s.program, ebpf.AttachNone})
		if err != nil {
			return err
		}
		if err := a.attachSite(file, prog, s.offset, uint64(s.index)); err != nil {
			return err
		}
	}
	return nil
}

// attachCopies: where a program cannot ask for a cookie, each site has one of
// its own, which knows its index as a constant. They are as many as there are
// sites, some 20 a libjvm, and never more than maxSites.
func (a *attachment) attachCopies(file *link.Executable) error {
	for _, s := range a.sites {
		spec := a.p.spec.Copy()
		if err := spec.Variables[probesVarOwnSite].Set(s.index + 1); err != nil {
			return fmt.Errorf("set %s: %w", probesVarOwnSite, err)
		}
		coll, err := a.p.load(spec, s.program)
		if err != nil {
			return fmt.Errorf("load program %s: %w", s.program, err)
		}
		a.copies = append(a.copies, coll)
		if err := a.attachSite(file, coll.Programs[s.program], s.offset, 0); err != nil {
			return err
		}
	}
	return nil
}

func (a *attachment) attachSite(file *link.Executable, prog *ebpf.Program, offset, cookie uint64) error {
	l, err := file.Uprobe("", prog, &link.UprobeOptions{Address: offset, Cookie: cookie})
	if err != nil {
		return fmt.Errorf("attach uprobe at %#x: %w", offset, err)
	}
	a.links = append(a.links, l)
	return nil
}

// detach takes off what is on.
func (a *attachment) detach() error {
	err := closeAll(a.links)
	for _, c := range a.copies {
		c.Close()
	}
	a.links, a.copies = nil, nil
	return err
}
