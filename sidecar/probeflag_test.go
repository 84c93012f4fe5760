package sidecar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/config"
)

// idleJVM is a JVM that does nothing until the test has ended.
func idleJVM(t *testing.T) jvm.Process {
	t.Helper()
	source := filepath.Join(t.TempDir(), "Idle.java")
	text := `class Idle { public static void main(String[] a) throws Exception { System.out.println("up"); System.in.read(); } }`
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("java", "-Xmx32m", "-XX:+UseSerialGC", source)
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := io.ReadFull(out, make([]byte, 2)); err != nil {
		t.Skip("no JVM that runs a source file: ", err)
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	start, err := strconv.ParseUint(string(fields[19]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return jvm.Process{PID: int32(cmd.Process.Pid), StartTime: start}
}

func wantFlag(t *testing.T, p jvm.Process, want bool) {
	t.Helper()
	if on, err := jvm.MonitorProbes(procRoot, p.PID); err != nil || on != want {
		t.Errorf("the flag is %v, %v, want %v", on, err, want)
	}
}

func flagsOf(t *testing.T, dir string, asked bool) *live {
	l := &live{Sidecar: &Sidecar{version: "test", config: config.Config{MonitorProbes: asked, StateDir: dir},
		log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	l.flags = l.newProbeFlags()
	return l
}

// switchedOn switches the flag on, or skips where that is not allowed.
func switchedOn(t *testing.T, l *live, p jvm.Process) {
	t.Helper()
	on, err := l.flags.fires(p)
	if errors.Is(jvm.CanSwitch(procRoot, p), jvm.ErrNoMemory) {
		t.Skip(jvm.ErrNoMemory)
	}
	if err != nil || !on {
		t.Fatalf("%v, %v", on, err)
	}
	wantFlag(t, p, true)
}

// TestProbeFlags: nothing is written unless asked, and what was is put back
// once, whoever comes first; nothing is switched on after the end.
func TestProbeFlags(t *testing.T) {
	p, dir := idleJVM(t), filepath.Join(t.TempDir(), "state")
	l := flagsOf(t, dir, false)
	if on, err := l.flags.fires(p); on || err != nil {
		t.Errorf("not asked: %v, %v", on, err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("not asked, and noted")
	}
	l.flags.close()

	l = flagsOf(t, dir, true)
	switchedOn(t, l, p)
	switchedOn(t, l, p)
	l.flags.release(p)
	wantFlag(t, p, false)
	switchedOn(t, l, p)
	l.flags.close()
	wantFlag(t, p, false)
	l.flags.close()
	l.flags.release(p)
	if on, err := l.flags.fires(p); on || err != nil {
		t.Errorf("after the end: %v, %v", on, err)
	}
	wantFlag(t, p, false)
}

// TestPanic: a goroutine that panics ends the process, and yet the flag is put
// back. What ends so is a child of the test's.
func TestPanic(t *testing.T) {
	const child = "SIDECAR_TEST_PANIC"
	if of := os.Getenv(child); of != "" {
		panicWith(t, of)
	}
	p, dir := idleJVM(t), t.TempDir()
	trial := flagsOf(t, filepath.Join(dir, "trial"), true)
	switchedOn(t, trial, p)
	trial.flags.close()

	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestPanic$", "-test.v")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d %d %s", child, p.PID, p.StartTime, filepath.Join(dir, "state")))
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: on purpose")) || !bytes.Contains(out, []byte("the flag was on")) {
		t.Errorf("%v: %s", err, out)
	}
	wantFlag(t, p, false)
}

func panicWith(t *testing.T, of string) {
	var p jvm.Process
	var dir string
	if _, err := fmt.Sscan(of, &p.PID, &p.StartTime, &dir); err != nil {
		t.Fatal(err)
	}
	l := flagsOf(t, dir, true)
	switchedOn(t, l, p)
	fmt.Println("the flag was on")
	l.start(t.Context(), func(error) {}, func(context.Context) error { panic("on purpose") })()
}
