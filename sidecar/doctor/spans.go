package doctor

import (
	"fmt"
	"strings"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/spans"
)

// probesFix is what lets probes load.
const probesFix = "run as root, or give CAP_BPF and CAP_PERFMON"

// spans says for each kind where it will come from.
func (p *patient) spans() []Check {
	all := []Check{p.produce(), p.write(), p.dirtyInode(), p.commit(), p.monitorWait()}
	if len(p.sealed()) > 0 {
		all = append(all, p.append())
	}
	return all
}

func (p *patient) produce() Check {
	c := Check{Name: spans.NameProduce, State: OK}
	var open []string
	for _, l := range p.Listeners {
		if !l.TLS() {
			open = append(open, l.Addr.String())
		}
	}
	encrypted := p.sealed()
	switch {
	case p.h.packets != nil:
		c.State, c.Detail, c.Fix = Missing, "no packets: "+oneLine(p.h.packets), "run as root, or give CAP_NET_RAW"
	case p.OtherNet:
		c.State, c.Detail = Missing, "its packets do not pass this network namespace"
		c.Fix = fmt.Sprintf("run tailspan in its pod, or: nsenter -t %d -n tailspan run", p.PID)
	case len(open) == 0 && len(encrypted) > 0:
		c.State, c.Detail = Missing, "every listener is encrypted: "+strings.Join(encrypted, ", ")
	case len(open) == 0:
		c.State, c.Detail = Missing, "no listener is known"
	case len(encrypted) > 0:
		c.State, c.Detail = Degraded, fmt.Sprintf("packets of %s; not of %s (encrypted)", strings.Join(open, ", "), strings.Join(encrypted, ", "))
	default:
		c.Detail = "packets of " + strings.Join(open, ", ")
	}
	return c
}

func (p *patient) write() Check {
	if why := p.h.cannot(bpf.SubjectWrite); why != "" {
		return Check{spans.NameWrite, Missing, why, probesFix}
	}
	return Check{spans.NameWrite, OK, "system calls of the broker, by " + p.h.subjects[bpf.SubjectWrite].Backend, ""}
}

func (p *patient) dirtyInode() Check {
	c := Check{Name: spans.NameExt4DirtyInode, State: OK}
	if why := p.h.cannot(bpf.SubjectDirtyInode); why != "" {
		return Check{c.Name, Missing, why, probesFix}
	}
	var ext4, other []string
	for _, d := range p.disks {
		if d.kind == "ext4" {
			ext4 = append(ext4, d.source)
		} else {
			other = append(other, d.kind)
		}
	}
	on, by := strings.Join(ext4, ", "), p.h.subjects[bpf.SubjectDirtyInode].Backend
	switch {
	case len(p.disks) == 0:
		c.State, c.Detail = Degraded, "the file system of the log dirs is not known"
	case len(ext4) == 0:
		c.State, c.Detail = Degraded, fmt.Sprintf("on %s its counterpart is shown, as %s", strings.Join(other, ", "), spans.NameOtherDirtyInode)
	case len(other) > 0:
		c.State, c.Detail = Degraded, fmt.Sprintf("%s, by %s; on %s its counterpart is shown, as %s", on, by, strings.Join(other, ", "), spans.NameOtherDirtyInode)
	default:
		c.Detail = fmt.Sprintf("%s, by %s", on, by)
	}
	return c
}

func (p *patient) commit() Check {
	c := Check{Name: spans.NameJBD2Commit, State: OK}
	if why := p.h.cannot(bpf.SubjectJournal); why != "" {
		return Check{c.Name, Missing, why, probesFix}
	}
	var seen, clear, lost []string
	for _, d := range p.disks {
		switch {
		case d.journal != "":
			seen = append(seen, "journal "+d.journal)
		case d.hidden:
			lost = append(lost, d.source+": whether it has a journal cannot be seen")
		case d.kind == "ext4":
			clear = append(clear, d.source+" has no journal to wait for")
		default:
			lost = append(lost, fmt.Sprintf("%s (%s): no jbd2 journal", d.source, d.kind))
		}
	}
	c.Detail = strings.Join(append(append(seen, clear...), lost...), "; ")
	switch {
	case len(p.disks) == 0:
		c.State, c.Detail = Degraded, "the file system of the log dirs is not known"
	case len(lost) == len(p.disks):
		c.State = Missing
	case len(lost) > 0:
		c.State = Degraded
	}
	return c
}

func (p *patient) monitorWait() Check {
	if p.monitors != "" {
		return Check{spans.NameMonitorWait, Missing, p.monitors, p.fix}
	}
	return Check{spans.NameMonitorWait, OK, "hotspot's monitor probes in libjvm.so", ""}
}
