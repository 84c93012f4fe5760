package doctor

import (
	"bufio"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// host is what all brokers share.
type host struct {
	checks   []Check
	kernel   kernel // nil: no probe loads
	subjects map[string]bpf.Subject
	noProbes error // why
	packets  error // why there are none
	debts    []jvm.Debt

	foreign  bool   // a broker is another user's, or none is known
	paranoid bool   // perf events take CAP_SYS_ADMIN, which is not held
	hidden   string // why kernel functions cannot be named; "" if they can
	lack     string // the capabilities without which no probe loads; "" if all are held
	fix      string // what lets more probes load; "" if nothing is known to
}

func examineHost(o *Options, found []jvm.Broker) *host {
	h := &host{subjects: map[string]bpf.Subject{}, foreign: len(found) == 0}
	for _, b := range found {
		h.foreign = h.foreign || int(b.UID) != o.uid
	}
	h.checkKernel(o)
	h.checkLockdown(o)
	h.checkBTF(o)
	h.checkTracefs(o) // before the probes, which mount it
	h.checkPerf(o)
	h.checkSymbols(o)
	h.checkRights(o)
	if h.packets = o.packets(); h.packets != nil {
		h.add(Check{Name: "packets", State: Missing, Detail: fmt.Sprintf("no packet socket: %v", h.packets), Fix: o.give(toCapture)})
	} else {
		h.add(Check{Name: "packets", State: OK, Detail: "a packet socket opens"})
	}
	h.checkDebts(o)
	h.probes(o)
	return h
}

func (h *host) add(c Check) { h.checks = append(h.checks, c) }

// blame keeps the first thing of the host that keeps probes away.
func (h *host) blame(fix string) { h.fix = cmp.Or(h.fix, fix) }

func (h *host) checkKernel(o *Options) {
	if lacking := o.lacking(toProbe); lacking != 0 {
		h.lack = fmt.Sprintf("%v not held", lacking)
		h.blame(o.give(toProbe))
	}
	h.add(Check{Name: "kernel", State: OK, Detail: o.release})
}

func release() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return err.Error()
	}
	return unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
}

// checkLockdown judges nothing: what it costs shows at the probes.
func (h *host) checkLockdown(o *Options) {
	b, err := os.ReadFile(filepath.Join(o.sys, "kernel/security/lockdown"))
	_, rest, _ := strings.Cut(string(b), "[")
	mode, _, ok := strings.Cut(rest, "]")
	switch {
	case err != nil || !ok:
		mode = "not seen: none, or securityfs is not mounted"
	case mode == "confidentiality":
		h.blame("boot with lockdown=integrity")
		mode += ": no perf tracepoints, no kprobes"
	}
	h.add(Check{Name: "lockdown", State: OK, Detail: mode})
}

func (h *host) checkBTF(o *Options) {
	if _, err := os.Stat(filepath.Join(o.sys, "kernel/btf/vmlinux")); err != nil {
		const fix = "use a kernel built with CONFIG_DEBUG_INFO_BTF"
		h.blame(fix)
		h.add(Check{Name: "btf", State: Missing, Detail: "the kernel does not describe its types: no probe can read files and inodes", Fix: fix})
		return
	}
	h.add(Check{Name: "btf", State: OK, Detail: "the kernel describes its types"})
}

// checkTracefs judges nothing either: other backends do without it.
func (h *host) checkTracefs(o *Options) {
	c := Check{Name: "tracefs", State: OK}
	for _, dir := range []string{"kernel/tracing", "kernel/debug/tracing"} {
		path := filepath.Join(o.sys, dir)
		_, err := os.Stat(filepath.Join(path, "events"))
		switch {
		case err == nil:
			c.Detail = "mounted on " + path
			h.add(c)
			return
		case os.IsPermission(err):
			c.Detail = path + " may not be read: no perf tracepoints"
			h.blame(o.give(toRead))
			h.add(c)
			return
		}
	}
	if c.Detail = "was not mounted; mounted on first use"; o.lacking(toMount) != 0 {
		c.Detail = "not mounted: no perf tracepoints"
		h.blame("mount -t tracefs tracefs /sys/kernel/tracing")
	}
	h.add(c)
}

// checkPerf: above 2, which Debian and Ubuntu have added, perf events take
// CAP_SYS_ADMIN, whatever else is held: perf tracepoints, kprobes, samples, and
// the uprobes of kernels before 6.6.
func (h *host) checkPerf(o *Options) {
	b, err := os.ReadFile(filepath.Join(o.proc, "sys/kernel/perf_event_paranoid"))
	level, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	switch {
	case err != nil:
		h.add(Check{Name: "perf events", State: OK, Detail: "their setting is not seen"})
	case level > 2 && o.lacking(toMount) != 0:
		h.paranoid = true
		h.blame("sysctl kernel.perf_event_paranoid=2")
		h.add(Check{Name: "perf events", State: OK, Detail: fmt.Sprintf("kernel.perf_event_paranoid is %d: they take CAP_SYS_ADMIN", level)})
	default:
		h.add(Check{Name: "perf events", State: OK, Detail: fmt.Sprintf("kernel.perf_event_paranoid is %d", level)})
	}
}

// maxSymbols bounds the lines of kallsyms that are looked at for an address.
const maxSymbols = 64

// checkSymbols: the kernel gives addresses of 0 to those who may not see them.
func (h *host) checkSymbols(o *Options) {
	f, err := os.Open(filepath.Join(o.proc, "kallsyms"))
	if err != nil {
		h.hidden = oneLine(err)
	} else {
		defer f.Close()
		h.hidden = "the kernel hides its addresses"
		lines := bufio.NewScanner(f)
		for n := 0; n < maxSymbols && lines.Scan(); n++ {
			if address, _, _ := strings.Cut(lines.Text(), " "); strings.Trim(address, "0") != "" {
				h.hidden = ""
				break
			}
		}
	}
	if h.hidden != "" {
		h.add(Check{Name: "symbols", State: Degraded, Detail: h.hidden + ": its functions cannot be named", Fix: h.nameFix(o)})
		return
	}
	h.add(Check{Name: "symbols", State: OK, Detail: "kernel functions can be named"})
}

// nameFix: with kptr_restrict at 2 nobody sees addresses (lib/vsprintf.c, and
// kernel/kallsyms.c: kallsyms_show_value).
func (h *host) nameFix(o *Options) string {
	if fix := o.give(toName); fix != "" {
		return fix
	}
	return "sysctl kernel.kptr_restrict=1"
}

// maxDetail keeps a verifier's log out of a table, and what libraries tell of
// how they went about it.
const maxDetail = 120

// noise is what errors of package bpf say beside the point: which of several
// programs failed first, and a hint at a limit that bpf lifts.
var noise = regexp.MustCompile(regexp.QuoteMeta(bpf.ErrNotHere.Error()) + `: |\bprogram \w+: | \(MEMLOCK may be too low[^)]*\)`)

func oneLine(err error) string {
	s := noise.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "")
	if parts := strings.Split(s, ": "); len(s) > maxDetail && len(parts) > 2 {
		s = parts[0] + ": " + parts[len(parts)-1] // what was done, and what came of it
	}
	if len(s) > maxDetail {
		s = s[:maxDetail] + "..."
	}
	return s
}

func openPacketSocket() error {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) // protocol 0: nothing comes in
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
