package doctor

import (
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
)

// fakeKernel offers what it is told.
type fakeKernel struct {
	subjects []bpf.Subject
	closed   bool
}

func (k *fakeKernel) Status() []bpf.Subject { return k.subjects }
func (k *fakeKernel) Close() error          { k.closed = true; return nil }
func (k *fakeKernel) AttachMonitors(int32, string, []bpf.USDTSite) (io.Closer, error) {
	return io.NopCloser(nil), nil
}

func allSubjects() *fakeKernel {
	k := &fakeKernel{}
	for _, name := range []string{bpf.SubjectWrite, bpf.SubjectWake, bpf.SubjectDirtyInode, bpf.SubjectJournal} {
		k.subjects = append(k.subjects, bpf.Subject{Name: name, Backend: "tracepoint", Attached: true})
	}
	k.subjects = append(k.subjects, bpf.Subject{Name: bpf.SubjectMonitor})
	return k
}

// fakeHost is a proc and sys without any process, where all is allowed.
func fakeHost(t *testing.T, k *fakeKernel) Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"proc/self/status":                   "Name:\tx\nCapEff:\t000001ffffffffff\n",
		"sys/kernel/btf/vmlinux":             "",
		"sys/kernel/tracing/events/enable":   "0\n",
		"sys/kernel/security/lockdown":       "[none] integrity confidentiality\n",
		"proc/fs/jbd2/dm-3-8/info":           "",
		"proc/42/mountinfo":                  "",
		"proc/42/root/data/meta.properties":  "",
		"proc/42/root/other/meta.properties": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Options{proc: dir + "/proc", sys: dir + "/sys",
		open:    func() (kernel, error) { return k, nil },
		packets: func() error { return nil },
		flag:    func(int32) (bool, error) { return true, nil },
	}
}

func TestNoBroker(t *testing.T) {
	k := allSubjects()
	r := Examine(fakeHost(t, k))
	if r.ExitCode() != 2 || !k.closed {
		t.Errorf("exit code %d, closed %v", r.ExitCode(), k.closed)
	}
	for _, c := range r.Host {
		if (c.Name == "broker") != (c.State == Missing) || c.State == Missing && c.Fix == "" {
			t.Errorf("%+v", c)
		}
	}
	o := fakeHost(t, allSubjects())
	o.PID = 43
	if r := Examine(o); r.ExitCode() != 2 || !strings.Contains(r.Host[len(r.Host)-1].Detail, "no process 43") {
		t.Errorf("%+v", r)
	}
}

func TestHost(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Options)
		check  string
		state  State
		fix    string
	}{
		"no packets":  {func(o *Options) { o.packets = func() error { return os.ErrPermission } }, "packets", Missing, "CAP_NET_RAW"},
		"no probes":   {func(o *Options) { o.open = func() (kernel, error) { return nil, os.ErrPermission } }, "probes", Missing, "CAP_BPF"},
		"no btf":      {func(o *Options) { os.Remove(o.sys + "/kernel/btf/vmlinux") }, "btf", Missing, "CONFIG_DEBUG_INFO_BTF"},
		"tracefs":     {func(o *Options) { os.RemoveAll(o.sys + "/kernel/tracing/events") }, "tracefs", OK, ""},
		"lockdown":    {func(o *Options) { set(o.sys+"/kernel/security/lockdown", "none [confidentiality]") }, "lockdown", Degraded, "integrity"},
		"bpf, no net": {func(o *Options) { set(o.proc+"/self/status", "CapEff:\t0000008000080000\n") }, "CAP_NET_RAW", Degraded, ""},
		"admin":       {func(o *Options) { set(o.proc+"/self/status", "CapEff:\t0000000000282000\n") }, "rights", OK, ""},
		"nobody":      {func(o *Options) { set(o.proc+"/self/status", "CapEff:\t0000000000000000\n") }, "rights", Degraded, "CAP_BPF, CAP_PERFMON, CAP_NET_RAW, CAP_SYS_PTRACE"},
	} {
		t.Run(name, func(t *testing.T) {
			o := fakeHost(t, allSubjects())
			c.change(&o)
			o.complete()
			for _, got := range examineHost(&o).checks {
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

func set(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		panic(err)
	}
}

var (
	plain = jvm.Listener{Name: "A", Addr: netip.MustParseAddrPort("127.0.0.1:9092"), Protocol: "PLAINTEXT"}
	tls   = jvm.Listener{Name: "B", Addr: netip.MustParseAddrPort("127.0.0.1:9093"), Protocol: "SASL_SSL"}
	ext4  = disk{kind: "ext4", source: "/dev/sda1", journal: "sda1-8"}
	bare  = disk{kind: "ext4", source: "/dev/vda"}
	xfs   = disk{kind: "xfs", source: "/dev/sdb1"}
)

// TestSpans changes one thing at a time and names the spans that it costs.
func TestSpans(t *testing.T) {
	states := func(list ...State) []State { return list }
	all := states(OK, OK, OK, OK, OK)
	for name, c := range map[string]struct {
		change func(*patient, *fakeKernel)
		want   []State
		says   string
	}{
		"all":       {func(*patient, *fakeKernel) {}, all, "127.0.0.1:9092"},
		"some TLS":  {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{plain, tls} }, states(Degraded, OK, OK, OK, OK, OK), "127.0.0.1:9093 (encrypted)"},
		"TLS":       {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{tls} }, states(Missing, OK, OK, OK, OK, OK), "record headers from the segments"},
		"TLS alone": {func(p *patient, _ *fakeKernel) { p.Listeners = []jvm.Listener{tls} }, states(Missing, OK, OK, OK, OK, OK), "every listener is encrypted"},
		"TLS, no log dirs": {func(p *patient, _ *fakeKernel) {
			p.Listeners, p.LogDirs = []jvm.Listener{tls}, nil
		}, states(Missing, OK, OK, OK, OK, Degraded), "without record headers"},
		"TLS, no probes": {func(p *patient, _ *fakeKernel) {
			p.Listeners, p.h.noProbes = []jvm.Listener{tls}, os.ErrPermission
		}, states(Missing, Missing, Missing, Missing, OK, Missing), "CAP_BPF"},
		"no packets": {func(p *patient, _ *fakeKernel) { p.h.packets = os.ErrPermission }, states(Missing, OK, OK, OK, OK), "CAP_NET_RAW"},
		"other net":  {func(p *patient, _ *fakeKernel) { p.OtherNet = true }, states(Missing, OK, OK, OK, OK), "nsenter -t 42 -n"},
		"xfs":        {func(p *patient, _ *fakeKernel) { p.disks = []disk{xfs} }, states(OK, OK, Degraded, Missing, OK), "no jbd2 journal"},
		"both":       {func(p *patient, _ *fakeKernel) { p.disks = []disk{ext4, xfs} }, states(OK, OK, Degraded, Degraded, OK), "sda1-8"},
		"no journal": {func(p *patient, _ *fakeKernel) { p.disks = []disk{bare} }, all, "no journal to wait for"},
		"no disk":    {func(p *patient, _ *fakeKernel) { p.disks = nil }, states(OK, OK, Degraded, Degraded, OK), "not known"},
		"no journal probe": {func(_ *patient, k *fakeKernel) {
			k.subjects[3] = bpf.Subject{Name: bpf.SubjectJournal, Err: errors.New("gone")}
		},
			states(OK, OK, OK, Missing, OK), "gone"},
		"no probes": {func(p *patient, _ *fakeKernel) { p.h.noProbes = os.ErrPermission }, states(OK, Missing, Missing, Missing, OK), "CAP_BPF"},
		"flag off": {func(p *patient, _ *fakeKernel) {
			p.o.flag = func(int32) (bool, error) { return false, nil }
			p.flag()
		}, states(OK, OK, OK, OK, Missing), "KAFKA_OPTS=-XX:+DTraceMonitorProbes"},
	} {
		t.Run(name, func(t *testing.T) {
			k, h := allSubjects(), &host{subjects: map[string]bpf.Subject{}}
			p := &patient{Broker: jvm.Broker{Process: jvm.Process{PID: 42}, Listeners: []jvm.Listener{plain}, LogDirs: []string{"/logs"}}, o: &Options{}, h: h, disks: []disk{ext4}}
			c.change(p, k)
			for _, s := range k.subjects {
				h.subjects[s.Name] = s
			}
			var text strings.Builder
			found := p.spans()
			if len(found) != len(c.want) {
				t.Fatalf("%d spans, want %d: %+v", len(found), len(c.want), found)
			}
			for i, got := range found {
				if got.State != c.want[i] || got.State == OK && got.Fix != "" || got.Detail == "" {
					t.Errorf("%+v, want %s", got, c.want[i])
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
		h := &host{subjects: map[string]bpf.Subject{}, noProbes: noProbes}
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

func TestMountinfo(t *testing.T) {
	const info = `21 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,discard
22 21 253:3 / /data\040one rw,noatime shared:2 master:1 - ext4 /dev/mapper/vg-data rw,data=writeback
23 21 253:3 /x /elsewhere ro - ext4 /dev/mapper/vg-data rw
24 21 0:5 / /proc rw - proc proc rw
25 21 254:0 /sub /var/lib rw - ext4 /dev/root rw
`
	for _, c := range []struct{ device, dir, want string }{
		{"253:3", "/data one/logs", "ext4 on /dev/mapper/vg-data (253:3) rw,noatime,data=writeback"},
		{"253:3", "/elsewhere", "ext4 on /dev/mapper/vg-data (253:3) ro"},
		{"253:3", "/data one", "ext4 on /dev/mapper/vg-data (253:3) rw,noatime,data=writeback"},
		{"254:0", "/tmp/x", "ext4 on /dev/root (254:0) rw,relatime,discard"},
		{"9:9", "/tmp/x", ""},
	} {
		d := disk{device: c.device, dir: c.dir, hidden: true}
		if ok := d.find(strings.NewReader(info), c.dir); ok != (c.want != "") || ok && d.String() != c.dir+": "+c.want {
			t.Errorf("%s: %v, %v", c.dir, ok, d)
		}
	}
}

func TestJournal(t *testing.T) {
	o := fakeHost(t, allSubjects())
	if err := os.MkdirAll(o.sys+"/dev/block", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../devices/virtual/block/dm-3", o.sys+"/dev/block/253:3"); err != nil {
		t.Fatal(err)
	}
	if name, hidden := o.journal(disk{source: "/dev/mapper/vg-data", device: "253:3"}); name != "dm-3-8" || hidden {
		t.Errorf("%q, %v", name, hidden)
	}
	if name, hidden := o.journal(disk{source: "/dev/dm-33", device: "253:33"}); name != "" || hidden {
		t.Errorf("%q, %v", name, hidden)
	}
	if err := os.RemoveAll(o.proc + "/fs"); err != nil {
		t.Fatal(err)
	}
	if _, hidden := o.journal(disk{}); !hidden {
		t.Error("without /proc/fs/jbd2 nothing can be said")
	}
}

func TestOutput(t *testing.T) {
	r := Report{
		Host: []Check{{"kernel", OK, "6.1", ""}, {"packets", Missing, "no socket", "give CAP_NET_RAW"}, {"x", Missing, "y", "give CAP_NET_RAW"}},
		Brokers: []Broker{{PID: 42, NodeID: 3, ClusterID: "abc", Checks: []Check{{"process", OK, "kafka.Kafka", ""}},
			Spans: []Check{{"fs.write", OK, "by tracepoint", ""}, {"monitor.wait", Missing, "flag off", "set it"}}}},
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	const want = `Host
  ok        kernel   6.1
  missing   packets  no socket
                     -> give CAP_NET_RAW
  missing   x        y

Broker pid 42, node 3, cluster abc
  ok        process  kafka.Kafka

What traces of pid 42 will show
  ok        fs.write      by tracepoint
  missing   monitor.wait  flag off
                          -> set it

Not all can be traced: see what is degraded or missing above.
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	b, err := r.JSON()
	var back Report
	if err != nil || json.Unmarshal(b, &back) != nil || back.Brokers[0].Spans[1] != r.Brokers[0].Spans[1] {
		t.Errorf("%s, %v", b, err)
	}
	r.Host = r.Host[:1]
	r.Brokers[0].Spans = r.Brokers[0].Spans[:1]
	if r.ExitCode() != 0 {
		t.Errorf("exit code %d, want 0", r.ExitCode())
	}
}

// TestHere examines this very process on this very kernel: whatever is
// allowed, it is no broker.
func TestHere(t *testing.T) {
	r := Examine(Options{PID: int32(os.Getpid())})
	if r.ExitCode() != 2 || len(r.Brokers) != 0 || len(r.Host) < 6 {
		t.Errorf("%+v", r)
	}
}
