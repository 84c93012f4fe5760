package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
)

// host is what all brokers share.
type host struct {
	checks   []Check
	kernel   kernel // nil: no probe loads
	subjects map[string]bpf.Subject
	noProbes error // why
	packets  error // why there are none
}

func examineHost(o *Options) *host {
	h := &host{subjects: map[string]bpf.Subject{}}
	h.add(checkKernel())
	h.checks = append(h.checks, checkRights(o)...)
	h.add(checkLockdown(o))
	h.add(checkBTF(o))
	h.add(checkTracefs(o)) // before the probes, which mount it
	h.probes(o)
	if h.packets = o.packets(); h.packets != nil {
		h.add(Check{"packets", Missing, fmt.Sprintf("no packet socket: %v", h.packets), "run as root, or give CAP_NET_RAW"})
	} else {
		h.add(Check{"packets", OK, "a packet socket opens", ""})
	}
	return h
}

func (h *host) add(c Check) { h.checks = append(h.checks, c) }

func checkKernel() Check {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return Check{"kernel", Degraded, err.Error(), ""}
	}
	return Check{"kernel", OK, unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:]), ""}
}

func checkLockdown(o *Options) Check {
	b, err := os.ReadFile(filepath.Join(o.sys, "kernel/security/lockdown"))
	_, rest, _ := strings.Cut(string(b), "[")
	mode, _, ok := strings.Cut(rest, "]")
	switch {
	case err != nil || !ok:
		return Check{"lockdown", OK, "not seen", ""}
	case mode == "confidentiality":
		return Check{"lockdown", Degraded, mode + ": no tracepoints", "boot with lockdown=integrity"}
	}
	return Check{"lockdown", OK, mode, ""}
}

func checkBTF(o *Options) Check {
	if _, err := os.Stat(filepath.Join(o.sys, "kernel/btf/vmlinux")); err != nil {
		return Check{"btf", Missing, "the kernel does not describe its types: no probe can read files and inodes",
			"use a kernel built with CONFIG_DEBUG_INFO_BTF"}
	}
	return Check{"btf", OK, "the kernel describes its types", ""}
}

func checkTracefs(o *Options) Check {
	for _, dir := range []string{"kernel/tracing", "kernel/debug/tracing"} {
		path := filepath.Join(o.sys, dir)
		if _, err := os.Stat(filepath.Join(path, "events")); err == nil {
			return Check{"tracefs", OK, "mounted on " + path, ""}
		}
	}
	if has(o, capSysAdmin) {
		return Check{"tracefs", OK, "was not mounted; mounted on first use", ""}
	}
	return Check{"tracefs", Missing, "not mounted, or it may not be read", "mount -t tracefs tracefs /sys/kernel/tracing"}
}

// probes loads what the kernel takes; it stays loaded for the brokers.
func (h *host) probes(o *Options) {
	if h.kernel, h.noProbes = o.open(); h.noProbes != nil {
		h.kernel = nil
		h.add(Check{"probes", Missing, "none loads: " + oneLine(h.noProbes), "run as root, or give CAP_BPF and CAP_PERFMON"})
		return
	}
	for _, s := range h.kernel.Status() {
		h.subjects[s.Name] = s
		c := Check{Name: "probe " + s.Name, State: OK, Detail: "attaches (" + s.Backend + ")"}
		switch {
		case s.Err != nil && s.Attached:
			c.State, c.Detail = Degraded, oneLine(s.Err)
		case s.Err != nil:
			c.State, c.Detail = Missing, oneLine(s.Err)
		case s.Name == bpf.SubjectMonitor:
			c.Detail = "loads; attached to each JVM"
		}
		h.add(c)
	}
}

// cannot says why a subject cannot be seen; "" if it can.
func (h *host) cannot(subject string) string {
	s, ok := h.subjects[subject]
	switch {
	case h.noProbes != nil:
		return oneLine(h.noProbes)
	case !ok:
		return "no such probe"
	case s.Err != nil && !s.Attached:
		return oneLine(s.Err)
	}
	return ""
}

// maxDetail keeps a verifier's log out of a table.
const maxDetail = 160

func oneLine(err error) string {
	s := strings.Join(strings.Fields(err.Error()), " ")
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
