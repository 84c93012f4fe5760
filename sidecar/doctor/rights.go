package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Bits of CapEff (linux/capability.h).
const (
	capNetRaw    = 13
	capSysPtrace = 19
	capSysAdmin  = 21
	capSyslog    = 34
	capPerfmon   = 38
	capBPF       = 39
)

// capabilities that are of use, what each is for, and whether any of what is
// traced today needs it.
var capabilities = []struct {
	bit    int
	name   string
	use    string
	needed bool
}{
	{capBPF, "CAP_BPF", "load probes", true},
	{capPerfmon, "CAP_PERFMON", "attach probes", true},
	{capNetRaw, "CAP_NET_RAW", "see packets", true},
	{capSysPtrace, "CAP_SYS_PTRACE", "look at a broker of another user", true},
	{capSysAdmin, "CAP_SYS_ADMIN", "mount tracefs, uprobes on some kernels", false},
	{capSyslog, "CAP_SYSLOG", "name kernel functions", false},
}

// effective reads our own CapEff.
func effective(o *Options) (uint64, error) {
	b, err := os.ReadFile(filepath.Join(o.proc, "self/status"))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if s, ok := strings.CutPrefix(line, "CapEff:"); ok {
			return strconv.ParseUint(strings.TrimSpace(s), 16, 64)
		}
	}
	return 0, fmt.Errorf("no CapEff in status")
}

// has counts CAP_SYS_ADMIN for CAP_BPF and CAP_PERFMON, as the kernel does.
func has(o *Options, bit int) bool {
	set, err := effective(o)
	if err != nil {
		return false
	}
	admin := set>>capSysAdmin&1 == 1
	return set>>bit&1 == 1 || admin && (bit == capBPF || bit == capPerfmon)
}

// checkRights is one line, and one more for each capability that is lacking.
func checkRights(o *Options) []Check {
	c := Check{Name: "rights", State: OK, Detail: fmt.Sprintf("uid %d, with all capabilities of use", os.Geteuid())}
	if _, err := effective(o); err != nil {
		return []Check{{"rights", Degraded, err.Error(), ""}}
	}
	var lacking []Check
	var give []string
	for _, k := range capabilities {
		if has(o, k.bit) {
			continue
		}
		state, detail := OK, "not held, and not needed here: "+k.use
		if k.needed {
			state, detail = Degraded, "not held: "+k.use
			give = append(give, k.name)
		}
		lacking = append(lacking, Check{k.name, state, detail, ""})
	}
	if len(lacking) > 0 {
		c.Detail = fmt.Sprintf("uid %d", os.Geteuid())
	}
	if len(give) > 0 {
		c.State, c.Fix = Degraded, "run as root, or give "+strings.Join(give, ", ")
	}
	return append([]Check{c}, lacking...)
}
