package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// demo starts the demo as make does.
func demo(t *testing.T, logs string, env ...string) *child.Process {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/demo").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	cmd := exec.Command(bin)
	cmd.Dir, cmd.Env = root, append(os.Environ(), env...)
	p, err := child.Start("demo", filepath.Join(logs, "demo.log"), cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(syscall.SIGKILL, 10*time.Second) })
	return p
}

// TestDemoKilledHalfWay: after SIGKILL nothing is left running, looped or
// mounted, and what it left in the cache the next run removes.
func TestDemoKilledHalfWay(t *testing.T) {
	trial.NeedRoot(t)
	p := demo(t, trial.Output(t), "JAEGER=http://127.0.0.1:1")
	watching := func() bool { out, _ := p.Output(); return strings.Contains(out, "Tailspan watches it") }
	if err := p.Until(t.Context(), 2*time.Minute, watching); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second)
	left := family(t, p.PID())
	if len(left) < 5 {
		t.Errorf("%d processes, want at least slow disk, broker, producers, tailspan: %v", len(left), left)
	}
	dirs := runs(t)
	_ = p.Stop(syscall.SIGKILL, 10*time.Second)
	gone := func() bool {
		alive := 0
		for _, pid := range left {
			if state(pid) != "" {
				alive++
			}
		}
		return alive == 0 && len(loops(t, dirs)) == 0
	}
	for end := time.Now().Add(15 * time.Second); !gone() && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	for _, pid := range left {
		if s := state(pid); s != "" {
			t.Errorf("process %d is left, in state %s", pid, s)
		}
	}
	if l := loops(t, dirs); len(l) > 0 {
		t.Errorf("loop devices are left: %v", l)
	}
	if _, err := cache.Sweep(); err != nil {
		t.Error(err)
	}
}

// TestDemoReplays: the recording of the repository tells both stories, in the
// terminal and in Jaeger.
func TestDemoReplays(t *testing.T) {
	bin, logs := trial.Jaeger(t), trial.Output(t)
	j := trial.Answering(t, bin, logs)
	p := demo(t, logs, "DEMO_REPLAY=1", "DEMO_FOR=3s", "JAEGER="+j.Ports.URL(), "OTEL_EXPORTER_OTLP_ENDPOINT="+j.Endpoint())
	if err := p.Wait(t.Context()); err != nil {
		t.Errorf("demo: %v", err)
	}
	out, err := p.Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ARRIVAL TIME", "START TIME", "nearly all of it was one journal commit (jbd2 transaction",
		"it waited for a lock", j.Ports.URL() + "/trace/", j.Ports.URL() + "/api/traces/"} {
		if !strings.Contains(out, want) {
			t.Errorf("it did not say %q", want)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// family are the processes below one.
func family(t *testing.T, pid int) (all []int) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) > 1 && atoi(f[1]) == pid {
			all = append(all, atoi(filepath.Base(filepath.Dir(name))))
		}
	}
	return all
}

// state is a process's, "" if it is gone, or only not yet reaped.
func state(pid int) string {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return ""
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	if len(f) == 0 || f[0] == "Z" || f[0] == "X" {
		return ""
	}
	return f[0]
}

// runs are the directories of runs.
func runs(t *testing.T) []string {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	all, err := filepath.Glob(filepath.Join(dir, "runs", "run-*.lock"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i] = strings.TrimSuffix(all[i], ".lock")
	}
	return all
}

// loops are the loop devices on files below these directories that nobody
// holds.
func loops(t *testing.T, dirs []string) (some []string) {
	t.Helper()
	names, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			if strings.HasPrefix(string(b), dir+"/") && !cache.Held(dir) {
				some = append(some, strings.TrimSpace(string(b)))
			}
		}
	}
	return some
}
