package doctor

import (
	"fmt"
	"strings"

	"github.com/tailspan/tailspan/jvm"
)

// patient is a broker under examination.
type patient struct {
	jvm.Broker
	o      *Options
	h      *host
	checks []Check
	disks  []LogDir

	life, monitors sight
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
