package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// patient is a broker under examination.
type patient struct {
	jvm.Broker
	o      *Options
	h      *host
	checks []Check
	disks  []LogDir

	backend  string // of the monitors' probes
	monitors string // why monitors cannot be seen; "" if they can
	fix      string // of that
}

func examineBroker(o *Options, h *host, b jvm.Broker) Broker {
	p := &patient{Broker: b, o: o, h: h, disks: []LogDir{}}
	p.process()
	p.listeners()
	p.logDirs()
	p.tellDisks()
	p.machine()
	p.threadNames()
	return p.report()
}

func (p *patient) report() Broker {
	return Broker{PID: p.PID, NodeID: p.NodeID, ClusterID: p.ClusterID, JDK: p.JDK, LogDirs: p.disks, Checks: p.checks, Spans: p.spans()}
}

func (p *patient) add(name string, state State, fix, format string, args ...any) {
	p.checks = append(p.checks, Check{Name: name, State: state, Detail: fmt.Sprintf(format, args...), Fix: fix})
}

func (p *patient) process() {
	what := fmt.Sprintf("%s, uid %d", p.MainClass, p.UID)
	if p.NSPID != p.PID {
		what += fmt.Sprintf(", pid %d in its namespace", p.NSPID)
	}
	fix := p.rights()
	if p.Starting {
		fix = "ask again when it is up"
		p.add("process", Degraded, fix, "%s, still starting", what)
	} else {
		p.add("process", OK, "", "%s", what)
	}
	for _, problem := range p.Problems {
		p.add("not seen", Degraded, fix, "%s", problem)
	}
}

// rights is what lets us look at this broker; "" if all of it is held.
func (p *patient) rights() string {
	if int(p.UID) == p.o.uid {
		return ""
	}
	return p.o.give(toInspect)
}

func (p *patient) listeners() {
	for _, l := range p.Listeners {
		name := strings.TrimSpace("listener " + l.Name)
		switch {
		case l.TLS():
			p.add(name, Degraded, "", "%v %s: encrypted, its packets tell nothing", l.Addr, l.Protocol)
		case l.Protocol == "":
			p.add(name, Degraded, "", "%v: its protocol is not known", l.Addr)
		default:
			p.add(name, OK, "", "%v %s", l.Addr, l.Protocol)
		}
	}
	p.encrypted()
	if len(p.Listeners) == 0 {
		p.add("listeners", Missing, "", "none is known")
	}
	if p.OtherNet {
		p.add("network", Missing, p.netFix(),
			"the broker has a network namespace of its own: its packets do not pass here")
	}
}

func (p *patient) logDirs() {
	for _, dir := range p.LogDirs {
		d, err := examineDisk(p.o, p.Broker, dir)
		if err != nil {
			p.add("log dir", Degraded, p.rights(), "%s: %v", dir, err)
			continue
		}
		p.disks = append(p.disks, d)
	}
}

func (p *patient) tellDisks() {
	for _, d := range p.disks {
		p.add("log dir", OK, "", "%v", d)
	}
	if len(p.LogDirs) == 0 {
		p.add("log dirs", Missing, p.rights(), "none is known")
	}
}

// machine looks at libjvm, its probes and the flag, and tries to attach.
func (p *patient) machine() {
	jdk := p.JDK
	if jdk == "" {
		jdk = "of unknown version"
	}
	if p.LibJVM == "" {
		p.monitors, p.fix = "its libjvm.so is not known", p.rights()
		p.add("jvm", Missing, p.fix, "%s", p.monitors)
		return
	}
	p.add("jvm", OK, "", "JDK %s, %s", jdk, p.LibJVM)
	sites, err := jvm.MonitorSites(p.LibJVM)
	switch {
	case errors.Is(err, fs.ErrPermission):
		p.monitors, p.fix = oneLine(err), p.rights()
		p.add("monitor probes", Missing, p.fix, "%s", p.monitors)
		return
	case err != nil:
		p.monitors, p.fix = oneLine(err), "run the broker on a JDK built with --enable-dtrace (Temurin, Debian, Red Hat)"
		p.add("monitor probes", Missing, p.fix, "%s", p.monitors)
		return
	}
	p.attach(sites)
	p.flag()
}

func (p *patient) attach(sites []jvm.Probe) {
	if p.monitors = p.h.cannot(bpf.SubjectMonitor); p.monitors != "" {
		p.fix = p.h.fix
		p.add("monitor probes", Missing, p.fix, "%d sites; no probe: %s", len(sites), p.monitors)
		return
	}
	c, err := p.h.kernel.AttachSites(p.PID, p.LibJVM, convert(sites))
	if err != nil {
		p.monitors, p.fix = oneLine(err), p.h.fix
		p.add("monitor probes", Missing, p.fix, "%d sites; attach: %s", len(sites), p.monitors)
		return
	}
	for _, s := range p.h.kernel.Status() {
		if s.Name == bpf.SubjectMonitor {
			p.backend = s.Backend
		}
	}
	c.Close()
	p.add("monitor probes", OK, "", "%d sites, attached by %s and let go of", len(sites), p.backend)
}

// convert hands the sites over; jvm and bpf do not know each other.
func convert(sites []jvm.Probe) []bpf.USDTSite {
	out := make([]bpf.USDTSite, len(sites))
	for i, s := range sites {
		out[i] = bpf.USDTSite{Probe: s.Name, FileOffset: s.FileOffset}
		for _, a := range s.Args {
			out[i].Args = append(out[i].Args, bpf.USDTArg(a))
		}
	}
	return out
}
