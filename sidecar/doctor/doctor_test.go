package doctor

import (
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// fakeKernel offers what it is told.
type fakeKernel struct {
	subjects []bpf.Subject
	closed   bool
}

func (k *fakeKernel) Status() []bpf.Subject { return k.subjects }
func (k *fakeKernel) Close() error          { k.closed = true; return nil }
func (k *fakeKernel) AttachSites(int32, string, []bpf.USDTSite) (io.Closer, error) {
	return io.NopCloser(nil), nil
}

// set gives a subject another state.
func (k *fakeKernel) set(s bpf.Subject) {
	for i := range k.subjects {
		if k.subjects[i].Name == s.Name {
			k.subjects[i] = s
		}
	}
}

// allSubjects are those that have a kind of span.
func allSubjects() *fakeKernel {
	k := &fakeKernel{}
	for _, kind := range kinds {
		k.subjects = append(k.subjects, bpf.Subject{Name: kind.subject, Backend: bpf.Fentry, Attached: true})
		if kind.subject == bpf.SubjectSample {
			k.subjects[len(k.subjects)-1].Backend = bpf.PerfEvent
		}
		for _, a := range kind.with {
			if a.subject != bpf.SubjectOffCPU {
				k.subjects = append(k.subjects, bpf.Subject{Name: a.subject, Backend: bpf.TpBTF, Attached: true})
			}
		}
	}
	k.subjects = append(k.subjects, bpf.Subject{Name: bpf.SubjectMonitor}, bpf.Subject{Name: bpf.SubjectLife})
	return k
}

// fakeHost is a proc and sys without any process, where all is allowed.
func fakeHost(t *testing.T, k *fakeKernel) Options {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"proc/kallsyms":                       strings.Repeat("0000000000000000 A zero\n", 9) + "ffffffff81000000 T _text\n",
		"proc/sys/kernel/perf_event_paranoid": "2\n",
		"sys/kernel/btf/vmlinux":              "",
		"sys/kernel/tracing/events/enable":    "0\n",
		"sys/kernel/security/lockdown":        "[none] integrity confidentiality\n",
		"sys/fs/ext4/dm-4/journal_task":       "77\n",
		"proc/77/comm":                        "jbd2/sdc1\n",
		"proc/fs/jbd2/dm-3-8/info":            "",
		"proc/fs/ext4/dm-3/options":           "rw\ncommit=5\ndata=ordered\njournal_checksum\n",
	} {
		write(filepath.Join(dir, name), text)
	}
	held := rights.Set(1<<41 - 1)
	return Options{proc: dir + "/proc", sys: dir + "/sys", held: &held, release: "6.1.0 x86_64",
		open:    func() (kernel, error) { return k, nil },
		packets: func() error { return nil },
		flag:    func(int32) (bool, error) { return true, nil },
		debts:   func() ([]jvm.Debt, error) { return nil, nil },
	}
}

func write(path, text string) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		panic(err)
	}
}

// hold lets o have only those.
func hold(o *Options, uid int, those rights.Set) { o.held, o.uid = &those, uid }

var (
	plain = jvm.Listener{Name: "A", Addr: netip.MustParseAddrPort("127.0.0.1:9092"), Protocol: "PLAINTEXT"}
	tls   = jvm.Listener{Name: "B", Addr: netip.MustParseAddrPort("127.0.0.1:9093"), Protocol: "SASL_SSL"}
)

func of[T any](v T) *T { return &v }

var (
	ext4 = LogDir{Dir: "/data", Kind: "ext4", Source: "/dev/sda1", Device: "8:1", Options: []string{"rw", "noatime", "data=ordered", "commit=5"},
		Journal: &Journal{Name: "sda1-8", External: of(false), Bytes: of[int64](64 << 20), Checksums: of(true), FastCommit: of(true)}}
	bare = LogDir{Dir: "/bare", Kind: "ext4", Source: "/dev/vda"}
	xfs  = LogDir{Dir: "/x", Kind: "xfs", Source: "/dev/sdb1", Device: "8:17", Options: []string{"rw", "relatime"}, Journal: &Journal{External: of(false), Bytes: of[int64](10 << 20)}}
)

// broker is one to be examined, whose log dirs and JVM are known already.
func broker(o *Options, h *host) *patient {
	b := jvm.Broker{Process: jvm.Process{PID: 42}, NSPID: 42, UID: 1000, MainClass: "kafka.Kafka", NodeID: 3, ClusterID: "abc",
		JDK: "17.0.15", Listeners: []jvm.Listener{plain}, LogDirs: []string{"/logs"}}
	seen := sight{by: "uprobe_multi"}
	return &patient{Broker: b, o: o, h: h, disks: []LogDir{ext4}, life: seen, monitors: seen}
}

// TestHere examines this very process on this very kernel: whatever is
// allowed, it is no broker.
func TestHere(t *testing.T) {
	r := Examine(Options{PID: int32(os.Getpid())})
	if err := r.WriteText(t.Output()); err != nil {
		t.Fatal(err)
	}
	if r.ExitCode() != 2 || len(r.Brokers) != 0 || len(r.Host) < 6 || r.Do() == "" {
		t.Errorf("%+v", r)
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
