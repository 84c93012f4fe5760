package doctor

import (
	"cmp"
	"fmt"

	"github.com/tailspan/tailspan/jvm"
)

const (
	flagFix   = "start the broker with KAFKA_OPTS=-XX:+DTraceMonitorProbes"
	switchFix = "run with --enable-monitor-probes, which switches it on in the running JVM, or " + flagFix
)

// flag says whether the JVM fires its monitor probes, and if not, whether it
// could be made to without a restart.
func (p *patient) flag() {
	on, err := p.o.flag(p.PID)
	switch {
	case err != nil:
		p.monitors = sight{less: oneLine(err), fix: cmp.Or(p.rights(), flagFix)}
		p.add("monitor flag", Degraded, p.monitors.fix, "DTraceMonitorProbes: %s", p.monitors.less)
	case !on:
		p.monitors = sight{less: "the JVM's flag DTraceMonitorProbes is off", fix: switchFix}
		if err := p.o.canSwitch(p.Process); err != nil {
			p.monitors.less += ", and cannot be switched on from here: " + oneLine(err)
			p.monitors.fix = cmp.Or(p.rights(), flagFix)
		}
		p.add("monitor flag", Degraded, p.monitors.fix, "%s", p.monitors.less)
	default:
		p.add("monitor flag", OK, "", "DTraceMonitorProbes is on%s", p.switchedBy())
	}
}

// switchedBy names who has switched the flag on and will put it back, if that
// was noted here.
func (p *patient) switchedBy() string {
	for _, d := range p.h.debts {
		if d.Process == p.Process {
			return fmt.Sprintf(", switched by %s", d.Who)
		}
	}
	return ""
}

// checkDebts tells what runs that were killed have left switched on in JVMs
// that live. To put it back takes a write, which is not doctor's.
func (h *host) checkDebts(o *Options) {
	debts, err := o.debts()
	h.debts = debts
	for _, d := range debts {
		if !d.InUse {
			h.add(Check{Name: "flag owed", State: Degraded, Detail: fmt.Sprintf("pid %d has its monitor probes on since %s, switched by %s, which has ended",
				d.PID, d.Since.UTC().Format("2006-01-02 15:04:05Z"), d.Who), Fix: "start tailspan run or record once, which switches them off again"})
		}
	}
	if err != nil {
		h.add(Check{Name: "flags owed", State: Degraded, Detail: "what may be owed to JVMs cannot be read: " + oneLine(err),
			Fix: "look at the files in " + o.StateDir + ", as the user who ran tailspan"})
	}
}

func (o *Options) noted() ([]jvm.Debt, error) {
	return jvm.Ledger{Dir: o.StateDir, Proc: o.proc}.Debts()
}
