package jvm

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sleeper is a Java program that says that it is up and waits to be ended, run
// by the launcher straight from its source where it can.
const sleeper = `class Sleeper { public static void main(String[] a) throws Exception {
	System.out.println("up"); while (System.in.read() >= 0); } }`

// startJVM runs the sleeper and returns its pid; it ends with the test.
func startJVM(t testing.TB, home string, env []string, options ...string) int32 {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "Sleeper.java")
	if err := os.WriteFile(source, []byte(sleeper), 0o644); err != nil {
		t.Fatal(err)
	}
	options = append(options, "-Xmx32m", "-XX:+UseSerialGC")
	if _, err := os.Stat(filepath.Join(home, "bin/javac")); err == nil {
		options = append(options, source)
	} else { // a runtime without a compiler
		if out, err := exec.Command("javac", "--release", "8", "-d", dir, source).CombinedOutput(); err != nil {
			t.Skipf("no javac: %v: %s", err, out)
		}
		options = append(options, "-cp", dir, "Sleeper")
	}
	cmd := exec.Command(filepath.Join(home, "bin/java"), options...)
	cmd.Env = append(os.Environ(), env...)
	return run(t, cmd, "up")
}

// run starts a command that lives until its input is closed, and waits for a
// word of it.
func run(t testing.TB, cmd *exec.Cmd, word string) int32 {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Skipf("%s does not start: %v", cmd.Path, err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	deadline := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer deadline.Stop()
	var said strings.Builder
	for b := make([]byte, 256); !strings.Contains(said.String(), word); {
		n, err := out.Read(b)
		said.Write(b[:n])
		if err != nil {
			t.Fatalf("%s ended: %q", cmd.Path, said.String())
		}
	}
	return int32(cmd.Process.Pid)
}

// TestMonitorProbes asks JVMs of every JDK by their memory and, as without
// the rights for that, by their options. HotSpot itself is the judge.
func TestMonitorProbes(t *testing.T) {
	for _, home := range jdks(t) {
		for name, c := range map[string]struct {
			env, options []string
			want         bool
		}{
			"off":      {nil, nil, false},
			"on":       {nil, []string{"-XX:+DTraceMonitorProbes"}, true},
			"extended": {nil, []string{"-XX:+ExtendedDTraceProbes"}, true},
			"last":     {nil, []string{"-XX:+ExtendedDTraceProbes", "-XX:-DTraceMonitorProbes", "-XX:-ExtendedDTraceProbes"}, false},
			"tool":     {[]string{"JAVA_TOOL_OPTIONS=-Da=b -XX:+DTraceMonitorProbes"}, nil, true},
			"jdk":      {[]string{"JDK_JAVA_OPTIONS=-XX:+DTraceMonitorProbes"}, []string{"-XX:-DTraceMonitorProbes"}, false},
			"trumped":  {[]string{"_JAVA_OPTIONS=-XX:+DTraceMonitorProbes"}, []string{"-XX:-DTraceMonitorProbes"}, true},
		} {
			t.Run(filepath.Base(home)+"/"+name, func(t *testing.T) {
				if exec.Command(filepath.Join(home, "bin/java"), append(c.options, "-version")...).Run() != nil {
					t.Skip("this JDK does not know the option any more")
				}
				p := proc{"/proc", startJVM(t, home, c.env, c.options...)}
				if got, err := p.flagInMemory(); errors.Is(err, ErrNoMemory) {
					t.Log("skipped by memory:", err)
				} else if err != nil || got != c.want {
					t.Errorf("in memory: %v, %v, want %v", got, err, c.want)
				}
				if got, err := p.flagAtStart(); err != nil || got != c.want {
					t.Errorf("at start: %v, %v, want %v", got, err, c.want)
				}
				if got, err := MonitorProbes("/proc", p.pid); err != nil || got != c.want {
					t.Errorf("MonitorProbes: %v, %v, want %v", got, err, c.want)
				}
			})
		}
	}
}

func TestMonitorProbesOfNoJVM(t *testing.T) {
	if _, err := MonitorProbes("/proc", int32(os.Getpid())); !errors.Is(err, ErrNoJVM) {
		t.Errorf("ourselves: %v", err)
	}
	if _, err := MonitorProbes(t.TempDir(), 1); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
}

func BenchmarkMonitorProbes(b *testing.B) {
	pid := startJVM(b, jdks(b)[0], nil, "-XX:+DTraceMonitorProbes")
	b.ReportAllocs()
	for b.Loop() {
		if on, err := MonitorProbes("/proc", pid); err != nil || !on {
			b.Fatal(on, err)
		}
	}
}
