package doctor

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/spans"
)

const probeFix = "run the broker on a JDK built with --enable-dtrace (Temurin, Debian, Red Hat)"

// sight is how something of the JVM is seen.
type sight struct {
	by   string // a backend; "": not at all
	less string // why it is seen less well, or not
	fix  string // of that
}

// machine looks at libjvm, its probes and the flag, and tries to attach.
func (p *patient) machine() {
	jdk := p.JDK
	if jdk == "" {
		jdk = "of unknown version"
	}
	if p.LibJVM == "" {
		p.monitors = sight{less: "its libjvm.so is not known", fix: p.rights()}
		p.life = p.monitors
		p.add("jvm", Missing, p.monitors.fix, "%s", p.monitors.less)
		return
	}
	p.add("jvm", OK, "", "JDK %s, %s", jdk, p.LibJVM)
	sites, err := jvm.LifeSites(p.LibJVM)
	p.life = p.sites("jvm probes", bpf.SubjectLife, sites, err)
	sites, err = jvm.MonitorSites(p.LibJVM)
	p.monitors = p.sites("monitor probes", bpf.SubjectMonitor, sites, err)
	if p.monitors.by != "" {
		p.flag()
	}
	if p.monitors.less != "" {
		p.functions()
	}
}

// sites tells of a library's sites what is wrong with them, or attaches to them and
// lets go.
func (p *patient) sites(name, subject string, sites []jvm.Probe, err error) sight {
	s := sight{fix: p.h.fix}
	if err != nil {
		s.less = oneLine(err)
	}
	missing := func(format string, args ...any) sight {
		p.add(name, Missing, s.fix, format, args...)
		return s
	}
	switch why := p.h.cannot(subject); {
	case errors.Is(err, fs.ErrPermission):
		s.fix = p.rights()
		return missing("%s", s.less)
	case errors.Is(err, jvm.ErrNoFunctions):
		s.fix = ""
		return missing("%s", s.less)
	case err != nil:
		s.fix = probeFix
		return missing("%s", s.less)
	case why != "":
		s.less = why
		return missing("%d sites; no probe: %s", len(sites), why)
	}
	c, err := p.h.kernel.AttachSites(p.PID, p.LibJVM, convert(sites))
	if err != nil {
		s.less = oneLine(err)
		return missing("%d sites; attach: %s", len(sites), s.less)
	}
	for _, sub := range p.h.kernel.Status() {
		if sub.Name == subject {
			s.by = sub.Backend
		}
	}
	c.Close()
	p.add(name, OK, "", "%d sites, attached by %s and let go of", len(sites), s.by)
	return sight{by: s.by}
}

// functions is how monitors are seen where the probes do not fire.
func (p *patient) functions() {
	sites, err := jvm.MonitorFunctions(p.LibJVM)
	p.monitors.by = p.sites("monitor functions", bpf.SubjectMonitor, sites, err).by
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

func (p *patient) monitorWait() Check {
	c := p.monitors.check(spans.NameMonitorWait, bpf.SubjectMonitor, "hotspot's probes in libjvm.so")
	if c.State == Degraded {
		c.Detail = fmt.Sprintf("by %s: functions of libjvm.so, without the lock's class: %s", p.monitors.by, p.monitors.less)
	}
	return c
}

// pauses are those of the whole JVM.
func (p *patient) pauses() []Check {
	const how = "hotspot's probes in libjvm.so"
	return []Check{p.life.check(spans.NameGC, bpf.SubjectLife, how), p.life.check(spans.NameVMOperation, bpf.SubjectLife, how)}
}

func (s sight) check(span, subject, how string) Check {
	c := Check{Name: span, State: OK, Detail: "by " + s.by + ": " + how, Fix: s.fix}
	switch {
	case s.by == "":
		c.State, c.Detail = Missing, s.less
		return c
	case s.less != "":
		c.State = Degraded
	}
	c.From = []Source{{subject, s.by}}
	return c
}
