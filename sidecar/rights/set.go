package rights

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Set is a set of capabilities: bit n is the one with the number n of
// linux/capability.h.
type Set uint64

// Of is the set of some numbers (unix.CAP_BPF, …).
func Of(numbers ...int) Set {
	var s Set
	for _, n := range numbers {
		s |= 1 << n
	}
	return s
}

// Has says whether all of those are in the set.
func (s Set) Has(those Set) bool { return s&those == those }

// Grants says whether the set is good for all that those are good for:
// CAP_SYS_ADMIN does for CAP_BPF and CAP_PERFMON what they were split off for,
// though not for CAP_SYSLOG (kernel/ksyms_common.c: kallsyms_show_value), and
// CAP_DAC_OVERRIDE what CAP_DAC_READ_SEARCH does.
func (s Set) Grants(those Set) bool {
	if s.Has(Of(unix.CAP_SYS_ADMIN)) {
		s |= Of(unix.CAP_BPF, unix.CAP_PERFMON)
	}
	if s.Has(Of(unix.CAP_DAC_OVERRIDE)) {
		s |= Of(unix.CAP_DAC_READ_SEARCH)
	}
	return s.Has(those)
}

// String is "CAP_BPF, CAP_PERFMON"; of those that tracing has no use for the
// number.
func (s Set) String() string {
	var names []string
	for _, c := range All {
		if s.Has(Of(c.Number)) {
			names = append(names, c.Name)
			s &^= Of(c.Number)
		}
	}
	for n := range 64 {
		if s.Has(Of(n)) {
			names = append(names, fmt.Sprint("capability ", n))
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Capability is one that tracing has a use for.
type Capability struct {
	Number int
	Name   string
	Use    string
}

// All of use, the most needed first.
var All = []Capability{
	{unix.CAP_BPF, "CAP_BPF", "load probes"},
	{unix.CAP_PERFMON, "CAP_PERFMON", "attach probes, read kernel memory in them"},
	{unix.CAP_NET_RAW, "CAP_NET_RAW", "open the packet socket"},
	{unix.CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "look at a broker of another user"},
	{unix.CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "read such a broker's files, and tracefs as another user than root"},
	{unix.CAP_SYSLOG, "CAP_SYSLOG", "name kernel functions"},
	{unix.CAP_SETUID, "CAP_SETUID", "ask a broker of another user for its threads' names"},
	{unix.CAP_SETGID, "CAP_SETGID", "ask such a broker, whose group counts, too"},
	{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "mount tracefs, open perf events where kernel.perf_event_paranoid is 3"},
	{unix.CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "lift the limit on locked memory, before Linux 5.11"},
}

var (
	// Start is what takes up tracing, where tracefs is mounted.
	Start = Of(unix.CAP_BPF, unix.CAP_PERFMON, unix.CAP_NET_RAW, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYSLOG)

	// Attach is what takes up a broker that starts or comes back, once packets
	// and probes are open, and reads what was not read yet: its files, and the
	// names of the kernel's functions.
	Attach = Of(unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYSLOG)

	// Ask is what asks the JVM of a broker of another user for its threads'
	// names: it answers only its own user, and root where it is root's own user
	// namespace, if root may do as it likes with other users' files and processes.
	Ask = Of(unix.CAP_SETUID, unix.CAP_SETGID)

	// Load is what takes up a broker on kernels that want it, too, beside a
	// program and a map that are open already.
	Load = Of(unix.CAP_BPF, unix.CAP_PERFMON)
)
