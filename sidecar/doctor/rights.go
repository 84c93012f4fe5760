package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/sidecar/rights"
)

var (
	toProbe   = rights.Of(unix.CAP_BPF, unix.CAP_PERFMON)
	toCapture = rights.Of(unix.CAP_NET_RAW)
	toInspect = rights.Of(unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH)
	toName    = rights.Of(unix.CAP_SYSLOG)
	toMount   = rights.Of(unix.CAP_SYS_ADMIN)
	toRead    = rights.Of(unix.CAP_DAC_READ_SEARCH)
	toLock    = rights.Of(unix.CAP_SYS_RESOURCE)
)

// give is the advice that gets what is lacking of those; "" if nothing is.
func (o *Options) give(those rights.Set) string {
	lacking := o.lacking(those)
	switch {
	case lacking == 0:
		return ""
	case o.uid == 0:
		return fmt.Sprintf("give it %v", lacking)
	}
	return fmt.Sprintf("run as root, or give it %v", lacking)
}

// lacking is what is not held of those, one by one.
func (o *Options) lacking(those rights.Set) (lacking rights.Set) {
	for _, c := range rights.All {
		if one := rights.Of(c.Number); those.Has(one) && !o.held.Grants(one) {
			lacking |= one
		}
	}
	return lacking
}

// needed is what tracing takes here: others' processes only where a broker is
// somebody else's.
func (h *host) needed(o *Options) rights.Set {
	need := toProbe | toCapture
	if h.foreign {
		need |= toInspect
	}
	if h.paranoid {
		need |= toMount
	}
	if h.hidden != "" {
		need |= toName
	}
	return need
}

// rightsCheck is the name of the check whose fix gets all that is lacking.
const rightsCheck = "rights"

// checkRights is one line, and one more for each capability that is lacking.
func (h *host) checkRights(o *Options) {
	need := h.needed(o)
	c := Check{Name: rightsCheck, State: OK, Detail: fmt.Sprintf("uid %d, with all capabilities that are of use", o.uid)}
	lacking := o.lacking(rights.Start | toMount)
	if lacking != 0 {
		c.Detail = fmt.Sprintf("uid %d", o.uid)
	}
	if c.Fix = o.give(need); c.Fix != "" {
		c.State = Degraded
	}
	h.add(c)
	for _, k := range rights.All {
		switch one := rights.Of(k.Number); {
		case !lacking.Has(one):
		case need.Has(one):
			h.add(Check{Name: k.Name, State: Degraded, Detail: "not held, but needed to " + k.Use})
		default:
			h.add(Check{Name: k.Name, State: OK, Detail: "not held, and not needed here to " + k.Use})
		}
	}
}
