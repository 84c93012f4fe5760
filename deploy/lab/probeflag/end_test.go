package probeflag

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const endsWithin = 15 * time.Second

func has(ts *tailspan.Sidecar, words string) bool {
	out, _ := ts.Output()
	return strings.Contains(out, words)
}

// set is a JVM under load with a directory for the notes about it.
func set(t *testing.T, java string, options ...string) (p *contend.Program, n notes, s trial.Session) {
	t.Helper()
	trial.NeedRoot(t)
	s = trial.Begin(t)
	return jvmUnder(t, java, s.Dir, options...), notes(s.Dir + "/state"), s
}

// counted counts lines.
func counted(rows *atomic.Int64) func([]byte) error {
	return func([]byte) error { rows.Add(1); return nil }
}

// someRows waits until there are any.
func someRows(t *testing.T, rows *atomic.Int64, what string) {
	t.Helper()
	rows.Store(0)
	for began := time.Now(); rows.Load() == 0; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > endsWithin {
			t.Fatalf("%s: no wait is seen", what)
		}
	}
}

// TestEnds: unless asked for, nothing is switched on; a run that ends by a signal
// puts the flag back, and a run that was killed leaves it to the next one, be it
// asked or not.
func TestEnds(t *testing.T) {
	p, n, s := set(t, machines(t)[0].Java())
	var rows atomic.Int64
	log := func(name string) string { return filepath.Join(s.Dir, name+".log") }

	ts := n.watch(t, s.Bin, log("not-asked"), p, nil)
	wantFlag(t, p, false)
	trial.Stop(t, ts)

	for _, by := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(by) { // as under nohup, and so it is for what is started here
			continue
		}
		ts = n.watch(t, s.Bin, log(by.String()), p, counted(&rows), asked)
		wantFlag(t, p, true)
		n.want(t, 1)
		someRows(t, &rows, by.String())
		if err := ts.Process.Stop(by, endsWithin); err != nil {
			t.Errorf("%v: %v", by, err)
		}
		wantFlag(t, p, false)
		n.want(t, 0)
	}

	for _, next := range [][]string{nil, {asked}} {
		ts = n.watch(t, s.Bin, log("killed"), p, counted(&rows), asked)
		someRows(t, &rows, "to be killed")
		_ = ts.Process.Stop(syscall.SIGKILL, endsWithin)
		wantFlag(t, p, true)
		n.want(t, 1)
		out, err := exec.Command(s.Bin, "doctor", "--state-dir", string(n)).Output()
		if !strings.Contains(string(out), "flag owed") {
			t.Errorf("doctor: %v: %s", err, out)
		}
		wantFlag(t, p, true)
		ts = n.watch(t, s.Bin, log("next"), p, nil, next...)
		if !has(ts, "left switched on by a run that was killed, are off again") {
			t.Error("what was put back is not told")
		}
		wantFlag(t, p, next != nil)
		trial.Stop(t, ts)
		wantFlag(t, p, false)
		n.want(t, 0)
	}
	unharmed(t, p, s.Dir)
}

// TestOwn: a flag that was on from the start stays on.
func TestOwn(t *testing.T) {
	p, n, s := set(t, machines(t)[0].Java(), "-XX:+DTraceMonitorProbes")
	var rows atomic.Int64
	ts := n.watch(t, s.Bin, filepath.Join(s.Dir, "tailspan.log"), p, counted(&rows), asked)
	n.want(t, 0)
	someRows(t, &rows, "on from the start")
	trial.Stop(t, ts)
	wantFlag(t, p, true)
}

// TestTwo: of two that trace one JVM the last puts the flag back, though the
// first had switched it on.
func TestTwo(t *testing.T) {
	p, n, s := set(t, machines(t)[0].Java())
	var rows atomic.Int64
	first := n.watch(t, s.Bin, filepath.Join(s.Dir, "first.log"), p, nil, asked)
	second := n.watch(t, s.Bin, filepath.Join(s.Dir, "second.log"), p, counted(&rows), asked)
	trial.Stop(t, first)
	wantFlag(t, p, true)
	n.want(t, 1)
	someRows(t, &rows, "the second alone")
	trial.Stop(t, second)
	wantFlag(t, p, false)
	n.want(t, 0)
}

// TestBlocked: nobody reads what it prints, so that it cannot end in order, and
// yet the flag is off at once.
func TestBlocked(t *testing.T) {
	p, n, s := set(t, machines(t)[0].Java())
	out, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(s.Bin, "run", "--pid", pid(p), "--print", "waits", "--format", "jsonl", "--state-dir", string(n), asked)
	cmd.Env = append(os.Environ(), trial.NoExport)
	cmd.Stdout = stdout
	if err := errors.Join(cmd.Start(), stdout.Close()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-ended })
	full := func() bool { n, err := unread(out); return err == nil && n >= 64<<10-4096 }
	for began := time.Now(); !full(); time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 2*endsWithin {
			t.Fatal("its output does not fill up")
		}
	}
	time.Sleep(200 * time.Millisecond) // until it waits for a reader
	wantFlag(t, p, true)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	select {
	case <-ended:
		t.Error("it ended, so it was not blocked")
	default:
	}
	wantFlag(t, p, false)
	n.want(t, 0)
}

// TestJVMEnds while its flag is on: nothing is owed to anybody.
func TestJVMEnds(t *testing.T) {
	p, n, s := set(t, machines(t)[0].Java())
	ts := n.watch(t, s.Bin, filepath.Join(s.Dir, "tailspan.log"), p, nil, asked)
	n.want(t, 1)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), endsWithin)
	defer cancel()
	if err := ts.Wait(ctx); err != nil { // the only one that it was asked to trace
		t.Error(err)
	}
	n.want(t, 0)
	if has(ts, "level=ERROR") {
		t.Errorf("see %s", ts.Log)
	}
}
