package doctor

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/rights"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden: whole reports, for people and for programs.
func TestGolden(t *testing.T) {
	refused := fmt.Errorf("%w: attach: %w", bpf.ErrNotHere, unix.EPERM)
	for name, c := range map[string]struct {
		change func(*Options, *fakeKernel)
		broker func(*patient)
		code   int
	}{
		"all": {func(*Options, *fakeKernel) {}, func(*patient) {}, 0},
		"worse": {func(_ *Options, k *fakeKernel) { // all is seen, by what is left
			for i := range k.subjects {
				if s := &k.subjects[i]; s.Backend == bpf.Fentry {
					s.Backend, s.Tried = bpf.Tracepoint, []bpf.Attempt{{Backend: bpf.Fentry, Err: refused}, {Backend: bpf.TpBTF, Err: unix.ENOENT}}
				}
			}
			k.set(bpf.Subject{Name: bpf.SubjectFastCommit, Err: refused}) // nobody misses it
		}, func(p *patient) { p.disks = []LogDir{xfs} }, 0},
		"degraded": {func(o *Options, k *fakeKernel) {
			hold(o, 65534, rights.Start&^toName)
			write(o.proc+"/kallsyms", "0000000000000000 T _text\n")
			k.set(bpf.Subject{Name: bpf.SubjectFsync, Err: refused, Tried: []bpf.Attempt{{Backend: bpf.Kprobe, Err: refused}}})
		}, func(p *patient) { p.Listeners = append(p.Listeners, tls) }, 1},
		"owed": {func(o *Options, _ *fakeKernel) {
			o.debts = func() ([]jvm.Debt, error) {
				since := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
				return []jvm.Debt{
					{Process: jvm.Process{PID: 42}, Who: "tailspan v1, pid 77", Since: since, InUse: true},
					{Process: jvm.Process{PID: 43}, Who: "tailspan v1, pid 78", Since: since},
				}, errors.New("/run/tailspan/monitor-probes-44-1.json: not a record of a switched flag: EOF")
			}
			o.StateDir = "/run/tailspan"
		}, (*patient).flag, 1},
		"off": {func(o *Options, _ *fakeKernel) {
			o.flag = func(int32) (bool, error) { return false, nil }
			o.canSwitch = func(jvm.Process) error { return nil }
		}, (*patient).flag, 1},
		"nobody": {func(o *Options, k *fakeKernel) {
			hold(o, 65534, 0)
			write(o.proc+"/kallsyms", "0000000000000000 T _text\n")
			o.packets = func() error { return unix.EPERM }
			o.open = func() (kernel, error) { return nil, refused }
		}, func(p *patient) {
			p.Listeners, p.LogDirs, p.disks, p.ClusterID, p.NodeID = nil, nil, nil, "", -1
			p.monitors = sight{less: "its libjvm.so is not known", fix: p.rights()}
			p.life = p.monitors
			p.Problems = []string{"configuration: permission denied"}
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			k := allSubjects()
			o := fakeHost(t, k)
			c.change(&o, k)
			o.complete()
			h := examineHost(&o, []jvm.Broker{{UID: 1000}})
			p := broker(&o, h)
			c.broker(p)
			p.process()
			p.listeners()
			p.tellDisks()
			r := Report{Host: h.checks, Brokers: []Broker{p.report()}}
			ease(r.Host, r.Brokers)
			if r.ExitCode() != c.code {
				t.Errorf("exit code %d, want %d", r.ExitCode(), c.code)
			}
			var text bytes.Buffer
			if err := r.WriteText(&text); err != nil {
				t.Fatal(err)
			}
			object, err := r.JSON()
			if err != nil {
				t.Fatal(err)
			}
			var back Report
			if err := json.Unmarshal(object, &back); err != nil || !reflect.DeepEqual(back.Brokers[0].Spans, r.Brokers[0].Spans) {
				t.Errorf("%v: read back: %+v", err, back)
			}
			golden(t, name+".txt", bytes.ReplaceAll(text.Bytes(), []byte(o.sys), []byte("/sys")))
			golden(t, name+".json", bytes.ReplaceAll(object, []byte(o.sys), []byte("/sys")))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		write(path, string(got))
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (-update rewrites it): got\n%s\nwant\n%s", path, got, want)
	}
}
