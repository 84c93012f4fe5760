package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// TestHost changes one thing at a time and looks at the check that tells it.
func TestHost(t *testing.T) {
	lose := func(path string) func(*Options) {
		return func(o *Options) { os.RemoveAll(o.sys + path) }
	}
	without := func(those ...int) func(*Options) {
		return func(o *Options) { hold(o, 1000, rights.Start&^rights.Of(those...)) }
	}
	for name, c := range map[string]struct {
		change func(*Options)
		check  string
		state  State
		fix    string
	}{
		"no packets": {func(o *Options) {
			without(unix.CAP_NET_RAW)(o)
			o.packets = func() error { return os.ErrPermission }
		}, "packets", Missing, "CAP_NET_RAW"},
		"no probes": {func(o *Options) {
			without(unix.CAP_BPF)(o)
			o.open = func() (kernel, error) { return nil, os.ErrPermission }
		}, "probes", Missing, "CAP_BPF"},
		"no btf":     {lose("/kernel/btf/vmlinux"), "btf", Missing, "CONFIG_DEBUG_INFO_BTF"},
		"no tracefs": {lose("/kernel/tracing/events"), "tracefs", OK, ""},
		"lockdown":   {func(o *Options) { write(o.sys+"/kernel/security/lockdown", "none [confidentiality]") }, "lockdown", OK, ""},
		"perf":       {func(o *Options) { write(o.proc+"/sys/kernel/perf_event_paranoid", "3\n") }, "perf events", OK, ""},
		"paranoid": {func(o *Options) {
			without()(o)
			write(o.proc+"/sys/kernel/perf_event_paranoid", "3\n")
		}, "CAP_SYS_ADMIN", Degraded, ""},
		"root, no net":   {func(o *Options) { hold(o, 0, rights.Start&^rights.Of(unix.CAP_NET_RAW)) }, "rights", Degraded, "give it CAP_NET_RAW"},
		"the least":      {without(), "rights", OK, ""},
		"of no need":     {without(), "CAP_SYS_ADMIN", OK, ""},
		"admin":          {func(o *Options) { hold(o, 0, rights.Of(unix.CAP_SYS_ADMIN)|toCapture|toInspect) }, "rights", OK, ""},
		"nobody":         {func(o *Options) { hold(o, 1000, 0) }, "rights", Degraded, "run as root, or give it CAP_BPF, CAP_PERFMON, CAP_NET_RAW, CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH"},
		"hidden symbols": {func(o *Options) { without(unix.CAP_SYSLOG)(o); write(o.proc+"/kallsyms", "0000000000000000 T _text\n") }, "symbols", Degraded, "CAP_SYSLOG"},
		"no symbols":     {func(o *Options) { write(o.proc+"/kallsyms", "0000000000000000 T _text\n") }, "symbols", Degraded, "kptr_restrict"},
	} {
		t.Run(name, func(t *testing.T) {
			o := fakeHost(t, allSubjects())
			c.change(&o)
			o.complete()
			for _, got := range examineHost(&o, nil).checks {
				if got.Name != c.check {
					continue
				}
				if got.State != c.state || !strings.Contains(got.Fix, c.fix) || (c.fix == "") != (got.Fix == "") {
					t.Errorf("%+v", got)
				}
				return
			}
			t.Errorf("no check %s", c.check)
		})
	}
}

// TestFix: what lets more probes load is the first thing that keeps them away.
func TestFix(t *testing.T) {
	for _, c := range []struct {
		change func(*Options)
		fix    string
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { hold(o, 1, 0) }, "CAP_BPF, CAP_PERFMON"},
		{func(o *Options) { write(o.sys+"/kernel/security/lockdown", "none [confidentiality]") }, "lockdown=integrity"},
		{func(o *Options) {
			hold(o, 1, rights.Start)
			write(o.proc+"/sys/kernel/perf_event_paranoid", "3\n")
		}, "perf_event_paranoid=2"},
		{func(o *Options) {
			hold(o, 1, rights.Start)
			os.RemoveAll(o.sys + "/kernel/tracing")
		}, "mount -t tracefs"},
	} {
		o := fakeHost(t, allSubjects())
		c.change(&o)
		o.complete()
		if h := examineHost(&o, nil); !strings.Contains(h.fix, c.fix) || (c.fix == "") != (h.fix == "") {
			t.Errorf("%q, want %q", h.fix, c.fix)
		}
	}
}

// TestOwnBroker: a broker of our own user takes no rights over others.
func TestOwnBroker(t *testing.T) {
	o := fakeHost(t, allSubjects())
	hold(&o, 1000, rights.Start&^toInspect)
	for uid, want := range map[uint32]State{1000: OK, 1001: Degraded} {
		for _, c := range examineHost(&o, []jvm.Broker{{UID: uid}}).checks {
			if c.Name == rightsCheck && c.State != want {
				t.Errorf("uid %d: %+v", uid, c)
			}
		}
	}
}

// TestProbe: what is told of a subject, and what is no flaw.
func TestProbe(t *testing.T) {
	refused := fmt.Errorf("%w: attach: %w", bpf.ErrNotHere, unix.EPERM)
	for name, c := range map[string]struct {
		subject bpf.Subject
		state   State
		detail  string
	}{
		"best":  {bpf.Subject{Backend: bpf.Fentry, Attached: true}, OK, "fentry, some 0.04"},
		"worse": {bpf.Subject{Backend: bpf.Tracepoint, Attached: true, Tried: []bpf.Attempt{{Backend: bpf.Fentry, Err: refused}}}, OK, "tracepoint, some 0.18"},
		"part":  {bpf.Subject{Backend: bpf.Tracepoint, Attached: true, Err: refused}, Degraded, "tracepoint, but: attach: operation not permitted"},
		"noise": {bpf.Subject{Err: fmt.Errorf("%w: program fexit_write: load program: %w (MEMLOCK may be too low, consider rlimit.RemoveMemlock)", bpf.ErrNotHere, unix.EPERM)},
			Missing, "load program: operation not permitted"},
		"none": {bpf.Subject{Err: refused}, Missing, "attach: operation not permitted"},
	} {
		h := &host{}
		got := h.probe(c.subject)
		if got.State != c.state || !strings.HasPrefix(got.Detail, c.detail) || len(got.Tried) != len(c.subject.Tried) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
