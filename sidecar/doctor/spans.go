package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailspan/tailspan/spans"
)

// spans says for each kind where it will come from.
func (p *patient) spans() []Check {
	all := []Check{p.produce()}
	if len(p.sealed()) > 0 {
		all = append(all, p.append())
	}
	for _, k := range kinds {
		all = append(all, p.kind(k))
	}
	return append(append(all, p.monitorWait()), p.pauses()...)
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
		c.State, c.Detail, c.Fix = Missing, "no packets: "+oneLine(p.h.packets), p.o.give(toCapture)
	case p.OtherNet:
		c.State, c.Detail = Missing, "its packets do not pass this network namespace"
		c.Fix = p.netFix()
	case len(open) == 0 && len(encrypted) > 0:
		c.State, c.Detail = Missing, "every listener is encrypted: "+strings.Join(encrypted, ", ")
	case len(open) == 0:
		c.State, c.Detail, c.Fix = Missing, "no listener is known", p.rights()
	case len(encrypted) > 0:
		c.State, c.Detail = Degraded, fmt.Sprintf("packets of %s; not of %s (encrypted)", strings.Join(open, ", "), strings.Join(encrypted, ", "))
	default:
		c.Detail = "packets of " + strings.Join(open, ", ")
	}
	return c
}

func (p *patient) netFix() string {
	return fmt.Sprintf("run tailspan in its pod, or: nsenter -t %d -n tailspan run", p.PID)
}

// kind judges a kind of span by the log dirs' file systems and by its subject.
func (p *patient) kind(k kind) Check {
	c := Check{Name: k.span, State: OK}
	backend := p.h.subjects[k.subject].Backend
	on, absent := p.having(k)
	why := p.h.cannot(k.subject)
	switch {
	case k.absent != nil && len(p.disks) > 0 && len(on) == 0:
		c.State, c.Detail = NotHere, strings.Join(absent, "; ")+k.shownAs(backend)
		return c
	case p.h.unknown(k.subject):
		c.State, c.Detail = NotHere, "not known to this build"
		return c
	case why != "":
		c.State, c.Detail, c.Fix = Missing, why, p.h.fix
		return c
	case k.watched && len(p.disks) == 0:
		c.State, c.Detail, c.Fix = Missing, "the devices of the log dirs are not known", p.rights()
		return c
	case k.absent != nil && len(p.disks) == 0:
		c.State, c.Detail, c.Fix = Degraded, "the file system of the log dirs is not known", p.rights()
		return c
	}
	c.From = append(c.From, Source{k.subject, backend})
	c.Detail = "by " + backend
	if len(on) > 0 {
		c.Detail += " on " + strings.Join(on, ", ")
	}
	for _, why := range absent {
		c.Detail += "; " + why
	}
	if len(absent) > 0 {
		c.Detail += k.shownAs(backend)
	}
	p.additions(k, &c)
	if k.named && p.h.hidden != "" {
		c.State, c.Detail, c.Fix = Degraded, c.Detail+"; without reasons and stacks: "+p.h.hidden, p.h.nameFix(p.o)
	}
	return c
}

// having are the sources of the log dirs whose file system has such spans, and
// why others have none.
func (p *patient) having(k kind) (on, absent []string) {
	if k.absent == nil {
		return nil, nil
	}
	for _, d := range p.disks {
		list, text := &on, d.Source
		if why := k.absent(d); why != "" {
			list, text = &absent, why
		}
		if !slices.Contains(*list, text) {
			*list = append(*list, text)
		}
	}
	return on, absent
}

// additions are judged apart: without one, the span says less.
func (p *patient) additions(k kind, c *Check) {
	for _, a := range k.with {
		switch why := p.h.cannot(a.subject); {
		case p.h.unknown(a.subject):
		case why != "":
			c.State, c.Detail, c.Fix = Degraded, fmt.Sprintf("%s; without %s: %s", c.Detail, a.says, why), p.h.fix
		default:
			c.From = append(c.From, Source{a.subject, p.h.subjects[a.subject].Backend})
		}
	}
}
