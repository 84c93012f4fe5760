package probeflag

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/jvm"
)

func TestMain(m *testing.M) { trial.Main(m) }

// load is what the JVMs do meanwhile: enough contended enters that a millisecond
// or two without any is none by chance.
var load = contend.Options{Mode: contend.Even, Threads: 8, Rate: 2000}

// jvmUnder starts a JVM under load, whose flag is off; it ends with the test.
func jvmUnder(t *testing.T, java, dir string, options ...string) *contend.Program {
	t.Helper()
	options = append(options, "-XX:ErrorFile="+dir+"/hs_err_%p.log", "-XX:-CreateCoredumpOnCrash")
	p, err := contend.Start(t.Context(), contend.Config{Java: java, JVM: options, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	if err := p.Run(load); err != nil {
		t.Fatal(err)
	}
	return p
}

// process names it for good.
func process(t *testing.T, p *contend.Program) jvm.Process {
	t.Helper()
	b, err := jvm.Inspect("/proc", int32(p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	return b.Process
}

func wantFlag(t *testing.T, p *contend.Program, want bool) {
	t.Helper()
	if on, err := jvm.MonitorProbes("/proc", int32(p.PID())); err != nil || on != want {
		t.Errorf("the flag is %v, %v, want %v", on, err, want)
	}
}

// unharmed: it runs, goes on with its work, and has not crashed.
func unharmed(t *testing.T, p *contend.Program, dir string) {
	t.Helper()
	before, err := p.Count()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	after, err := p.Count()
	if err != nil || after.Holds <= before.Holds || after.Blocked <= before.Blocked || !p.Alive() {
		t.Errorf("it went on from %+v to %+v, %v", before, after, err)
	}
	if crashed, err := filepath.Glob(dir + "/hs_err*"); err != nil || len(crashed) > 0 {
		t.Errorf("crashed: %v, %v", crashed, err)
	}
}

// machines are the machine's own JDKs.
func machines(t *testing.T) []jdk.JDK {
	t.Helper()
	all, err := jdk.Machine()
	if err != nil || len(all) == 0 {
		t.Skipf("no JDK: %v", err)
	}
	return all
}

// notes is the directory for tailspan's notes, and how many JVMs they are about.
type notes string

func (n notes) want(t *testing.T, count int) {
	t.Helper()
	found, err := filepath.Glob(string(n) + "/monitor-probes-*")
	if err != nil || len(found) != count {
		t.Errorf("%d notes: %v, %v, want %d", len(found), found, err, count)
	}
}

// watch starts `tailspan run` on a JVM and waits until it traces it; line gets
// its waits.
func (n notes) watch(t *testing.T, bin, log string, p *contend.Program, line func([]byte) error, flags ...string) *tailspan.Sidecar {
	t.Helper()
	args := []string{"run", "--pid", fmt.Sprint(p.PID()), "--print", "waits", "--format", "jsonl", "--state-dir", string(n)}
	ts, err := tailspan.Start(bin, log, []string{trial.NoExport}, line, append(args, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(syscall.SIGKILL, time.Second) })
	n.said(t, ts, fmt.Sprintf(`msg="tracing broker" pid=%d `, p.PID()))
	return ts
}

// said waits until the log has the words.
func (n notes) said(t *testing.T, ts *tailspan.Sidecar, words string) {
	t.Helper()
	if err := ts.Until(t.Context(), 30*time.Second, func() bool { return has(ts, words) }); err != nil {
		t.Fatalf("%q: %v", words, err)
	}
}

const asked = "--enable-monitor-probes"

// openDir is a directory that every user may come to.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "probeflag-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
