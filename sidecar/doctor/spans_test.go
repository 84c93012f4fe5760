package doctor

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// TestSpans changes one thing at a time and names the spans that it costs; all
// others stay ok.
func TestSpans(t *testing.T) {
	type states map[string]State
	none := states{"fs.write": Missing, "kernel.wait": Missing, "samples": Missing, "park.wait": Missing, "fs.fsync": Missing, "ext4_dirty_inode": Missing,
		"jbd2.commit": Missing, "jbd2.handle_wait": Missing, "ext4.fast_commit": Missing, "block.io": Missing}
	with := func(more states) states {
		all := states{}
		for _, m := range []states{none, more} {
			for name, s := range m {
				all[name] = s
			}
		}
		return all
	}
	noXFS := states{"xfs.log_grant": NotHere, "xfs.log_force": NotHere}
	for name, c := range map[string]struct {
		change func(*patient, *fakeKernel)
		want   states
		says   string
	}{
		"all":       {func(*patient, *fakeKernel) {}, states{}, "127.0.0.1:9092"},
		"some TLS":  {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{plain, tls} }, states{"produce": Degraded}, "127.0.0.1:9093 (encrypted)"},
		"TLS":       {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{tls} }, states{"produce": Missing}, "record headers from the segments"},
		"TLS alone": {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{tls} }, states{"produce": Missing}, "every listener is encrypted"},
		"TLS, no log dirs": {func(p *patient, _ *fakeKernel) {
			p.Listeners, p.LogDirs = []jvm.Listener{tls}, nil
		}, states{"produce": Missing, "append": Degraded}, "without record headers"},
		"TLS, no probes": {func(p *patient, _ *fakeKernel) {
			p.Listeners, p.h.noProbes, p.h.fix = []jvm.Listener{tls}, os.ErrPermission, "give it CAP_BPF"
		}, with(states{"produce": Missing, "append": Missing}), "CAP_BPF"},
		"no packets": {func(p *patient, _ *fakeKernel) {
			hold(p.o, 0, 0)
			p.h.packets = os.ErrPermission
		}, states{"produce": Missing}, "CAP_NET_RAW"},
		"other net": {func(p *patient, _ *fakeKernel) { p.OtherNet = true }, states{"produce": Missing}, "nsenter -t 42 -n"},
		"xfs": {func(p *patient, _ *fakeKernel) { p.disks = []LogDir{xfs} }, states{"ext4_dirty_inode": NotHere, "jbd2.commit": NotHere,
			"jbd2.handle_wait": NotHere, "ext4.fast_commit": NotHere, "xfs.log_grant": OK, "xfs.log_force": OK}, "not on xfs"},
		"both":       {func(p *patient, _ *fakeKernel) { p.disks = []LogDir{ext4, xfs} }, states{"xfs.log_grant": OK, "xfs.log_force": OK}, "on /dev/sda1; not on xfs"},
		"no journal": {func(p *patient, _ *fakeKernel) { p.disks = []LogDir{bare} }, states{"jbd2.commit": NotHere, "jbd2.handle_wait": NotHere, "ext4.fast_commit": NotHere}, "no journal to wait for"},
		"no disk": {func(p *patient, _ *fakeKernel) { p.disks = nil }, states{"ext4_dirty_inode": Degraded, "jbd2.commit": Missing, "jbd2.handle_wait": Degraded,
			"ext4.fast_commit": Missing, "xfs.log_grant": Degraded, "xfs.log_force": Missing, "block.io": Missing}, "not known"},
		"no disk below": {func(p *patient, _ *fakeKernel) {
			p.disks = []LogDir{{Dir: "/t", Kind: "tmpfs", Source: "tmpfs", Device: "0:42"}}
		}, states{"ext4_dirty_inode": NotHere, "jbd2.commit": NotHere, "jbd2.handle_wait": NotHere, "ext4.fast_commit": NotHere, "block.io": NotHere}, "below tmpfs"},
		"no fast commits": {func(p *patient, _ *fakeKernel) {
			d, j := ext4, *ext4.Journal
			j.FastCommit, d.Journal = of(false), &j
			p.disks = []LogDir{d}
		}, states{"ext4.fast_commit": NotHere}, "fast_commit is off"},
		"no journal probe": {func(_ *patient, k *fakeKernel) {
			k.set(bpf.Subject{Name: bpf.SubjectJournal, Err: errors.New("gone")})
		}, states{"jbd2.commit": Missing}, "gone"},
		"xfs, no journal probe": {func(p *patient, k *fakeKernel) {
			k.set(bpf.Subject{Name: bpf.SubjectJournal, Err: errors.New("gone")})
			p.disks = []LogDir{xfs}
		}, states{"ext4_dirty_inode": NotHere, "jbd2.commit": NotHere, "jbd2.handle_wait": NotHere, "ext4.fast_commit": NotHere,
			"xfs.log_grant": OK, "xfs.log_force": OK}, "not on xfs"},
		"counterpart": {func(p *patient, k *fakeKernel) {
			k.set(bpf.Subject{Name: bpf.SubjectDirtyInode, Backend: bpf.TpBTF, Attached: true})
			p.disks = []LogDir{ext4, xfs}
		}, states{"xfs.log_grant": OK, "xfs.log_force": OK}, "its counterpart is shown, as dirty_inode"},
		"no origin": {func(_ *patient, k *fakeKernel) {
			k.set(bpf.Subject{Name: bpf.SubjectCommitOrigin, Err: errors.New("gone")})
		}, states{"jbd2.commit": Degraded}, "without who asked for it: gone"},
		"old build": {func(_ *patient, k *fakeKernel) {
			k.subjects = k.subjects[:len(k.subjects)-3] // block_io and what is of a JVM
		}, states{"block.io": NotHere}, "not known to this build"},
		"no names": {func(p *patient, _ *fakeKernel) {
			hold(p.o, 1000, rights.Attach&^toName)
			p.h.hidden = "hidden"
		}, states{"kernel.wait": Degraded, "samples": Degraded}, "CAP_SYSLOG"},
		"no probes": {func(p *patient, _ *fakeKernel) { p.h.noProbes, p.h.lack = os.ErrPermission, "CAP_BPF not held" }, none, "CAP_BPF"},
		"flag off": {func(p *patient, _ *fakeKernel) {
			p.o.flag = func(int32) (bool, error) { return false, nil }
			p.o.canSwitch = func(jvm.Process) error { return nil }
			p.flag()
		}, states{"monitor.wait": Missing}, "run with --enable-monitor-probes"},
		"flag off, for good": {func(p *patient, _ *fakeKernel) {
			p.o.flag = func(int32) (bool, error) { return false, nil }
			p.o.canSwitch = func(jvm.Process) error { return os.ErrPermission }
			p.o.uid = int(p.UID)
			p.flag()
		}, states{"monitor.wait": Missing}, "cannot be switched on from here: permission denied start the broker with KAFKA_OPTS=-XX:+DTraceMonitorProbes"},
		"flag off, functions": {func(p *patient, _ *fakeKernel) {
			p.monitors = sight{by: "uprobe", less: "the flag is off", fix: flagFix}
		}, states{"monitor.wait": Degraded}, "without the lock's class: the flag is off"},
		"no jvm probes": {func(p *patient, _ *fakeKernel) {
			p.life = sight{less: "no USDT probes", fix: probeFix}
		}, states{"jvm.gc": Missing, "jvm.vmop": Missing}, "--enable-dtrace"},
	} {
		t.Run(name, func(t *testing.T) {
			k, h := allSubjects(), &host{subjects: map[string]bpf.Subject{}}
			p := broker(&Options{held: of(rights.Start)}, h)
			c.change(p, k)
			for _, s := range k.subjects {
				h.subjects[s.Name] = s
			}
			var text strings.Builder
			for _, got := range p.spans() {
				want := OK
				for _, from := range []states{noXFS, c.want} {
					if s, ok := from[got.Name]; ok {
						want = s
					}
				}
				if got.State != want || got.State == OK && (got.Fix != "" || len(got.From) == 0 && got.Name != "produce") || got.Detail == "" {
					t.Errorf("%+v, want %s", got, want)
				}
				text.WriteString(got.Detail + " " + got.Fix + "\n")
			}
			if !strings.Contains(text.String(), c.says) {
				t.Errorf("nothing says %q:\n%s", c.says, text.String())
			}
		})
	}
}

// An encrypted listener's checks name what is lost, what is left, and why.
func TestEncrypted(t *testing.T) {
	said := func(noProbes error, of ...jvm.Listener) map[string]Check {
		h := &host{subjects: map[string]bpf.Subject{}, noProbes: noProbes, fix: "do"}
		for _, s := range allSubjects().subjects {
			h.subjects[s.Name] = s
		}
		p := &patient{Broker: jvm.Broker{Listeners: of}, o: &Options{}, h: h}
		p.listeners()
		all := map[string]Check{}
		for _, c := range p.checks {
			all[c.Name] = c
		}
		return all
	}
	all := said(nil, plain, tls)
	for name, want := range map[string]struct {
		state State
		words []string
	}{
		"listener A":        {OK, []string{"127.0.0.1:9092 PLAINTEXT"}},
		"listener B":        {Degraded, []string{"127.0.0.1:9093 SASL_SSL", "encrypted"}},
		"encrypted, lost":   {Degraded, []string{"client", "correlation id", "latency", "acks", "replication wait"}},
		"encrypted, traced": {OK, []string{"append", "base offset", "records", "producer id", "message ids", "from the segment"}},
		"encrypted, why":    {OK, []string{"TLS ends inside the broker"}},
	} {
		c := all[name]
		for _, word := range want.words {
			if c.State != want.state || !strings.Contains(c.Detail, word) {
				t.Errorf("%s: %+v, want %s with %q", name, c, want.state, word)
			}
		}
	}
	if all := said(nil, plain); len(all) != 1 {
		t.Errorf("without one: %+v", all)
	}
	if c := said(os.ErrPermission, tls)["encrypted, traced"]; c.State != Missing || c.Fix == "" {
		t.Errorf("without probes: %+v", c)
	}
}
