package jvm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestThreads asks a JVM of each JDK for the names of 300 threads, two of them
// busy. The JVM's own log has the pauses.
func TestThreads(t *testing.T) {
	classes := compiled(t)
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			log := filepath.Join(t.TempDir(), "safepoint.log")
			j := startNames(t, home, classes, evil(300), nil, "-Xlog:safepoint*=info:file="+log)
			d, err := Threads(t.Context(), "/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			j.holds(t, d, nil)
			j.holdsKernel(t)
			pause := longestPause(t, log)
			t.Logf("longest pause %v", pause)
			if pause == 0 || d.Took < pause {
				t.Errorf("took %v, less than the pause of %v", d.Took, pause)
			}
			if left := glob(fmt.Sprintf("/tmp/.attach_pid%d", j.PID)); left != nil {
				t.Errorf("left behind: %v", left)
			}
			fmt.Fprintln(j.in, inHex("late"))
			j.line(t)
			if j.inner, err = (proc{"/proc", j.PID}).tasks(true); err != nil {
				t.Fatal(err)
			}
			if d, err = Threads(t.Context(), "/proc", j.Process); err != nil {
				t.Fatal(err)
			}
			j.holds(t, d, nil)
		})
	}
}

// longestPause reads the JVM's own log of a thread dump's safepoint.
func longestPause(t *testing.T, file string) (longest time.Duration) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	printing := false
	for line := range strings.Lines(string(b)) {
		printing = printing || strings.Contains(line, "PrintThreads")
		var ns int64
		var seconds float64
		if _, rest, ok := strings.Cut(line, "Total: "); ok && strings.Contains(line, "PrintThreads") { // JDK 13 and later
			fmt.Sscan(rest, &ns)
		} else if _, rest, ok := strings.Cut(line, "threads were stopped: "); ok && printing {
			fmt.Sscan(rest, &seconds)
			printing = false
		}
		longest = max(longest, time.Duration(ns), time.Duration(seconds*1e9))
	}
	return longest
}

// TestForgedName: a thread that knows the addresses of others (any program can
// get a dump of itself) and bears their records as its name takes their names
// away, and gives them none.
func TestForgedName(t *testing.T) {
	classes := compiled(t)
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			j := startNames(t, home, classes, []string{"victim", "other"}, nil)
			door, err := openDoor("/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			defer door.Close()
			text, _, err := door.dump(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, record, _ := strings.Cut(string(text), "\n\"victim\" ")
			record, _, _ = strings.Cut(record, "\n")
			for _, forged := range []string{"x\" #1 prio=5\n\n\"forged\" " + record, "\n\n\"forged\" " + record + "\n\n\"x"} {
				fmt.Fprintln(j.in, inHex(forged))
				j.line(t)
			}
			if j.inner, err = (proc{"/proc", j.PID}).tasks(true); err != nil {
				t.Fatal(err)
			}
			d, err := Threads(t.Context(), "/proc", j.Process)
			if err != nil {
				t.Fatal(err)
			}
			if d.Doubtful == 0 {
				t.Error("nothing is doubtful")
			}
			j.holds(t, d, func(name string) bool { return name == "victim" || strings.Contains(name, "forged") })
		})
	}
}

// TestNotAsked: nothing is sent to who is not to be asked, or would not survive
// it.
func TestNotAsked(t *testing.T) {
	home, classes := jdks(t)[0], compiled(t)
	for name, c := range map[string]struct {
		options []string
		want    error
	}{
		"disabled":       {[]string{"-XX:+DisableAttachMechanism"}, ErrNoAttach},
		"reduced":        {[]string{"-Xrs"}, nil}, // it has its socket from the start
		"reduced, alone": {[]string{"-Xrs", "-XX:+DisableAttachMechanism"}, ErrNoAttach},
	} {
		t.Run(name, func(t *testing.T) {
			j := startNames(t, home, classes, []string{"one"}, nil, c.options...)
			d, err := Threads(t.Context(), "/proc", j.Process)
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if err == nil {
				j.holds(t, d, nil)
				if err := os.Remove(fmt.Sprintf("/tmp/.java_pid%d", j.PID)); err != nil {
					t.Fatal(err)
				}
				if _, err = Threads(t.Context(), "/proc", j.Process); !errors.Is(err, ErrNoAnswer) {
					t.Errorf("without its socket: %v", err)
				}
			}
			fmt.Fprintln(j.in, inHex("alive"))
			if line := j.line(t); !strings.HasSuffix(line, inHex("alive")) {
				t.Errorf("it says %q: is that a thread dump?", line)
			}
		})
	}
	if _, err := Threads(t.Context(), "/proc", Process{PID: int32(os.Getpid())}); err == nil {
		t.Error("ourselves: asked")
	}
	start, err := proc{"/proc", int32(os.Getpid())}.startTime()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Threads(t.Context(), "/proc", Process{int32(os.Getpid()), start}); !errors.Is(err, ErrNoJVM) {
		t.Errorf("ourselves: %v", err)
	}
}

// TestThreadsDying ends the JVM while it is asked.
func TestThreadsDying(t *testing.T) {
	home, classes := jdks(t)[0], compiled(t)
	for _, after := range []time.Duration{0, 2 * time.Millisecond, 10 * time.Millisecond} {
		j := startNames(t, home, classes, []string{"one", "two"}, nil)
		time.AfterFunc(after, func() { unix.Kill(int(j.PID), unix.SIGKILL) })
		for range 50 {
			_, err := Threads(t.Context(), "/proc", j.Process)
			if errors.Is(err, ErrGone) {
				break
			}
			if err != nil {
				t.Logf("after %v: %v", after, err)
			}
			time.Sleep(time.Millisecond)
		}
		if _, err := Threads(t.Context(), "/proc", j.Process); !errors.Is(err, ErrGone) {
			t.Errorf("after %v: %v", after, err)
		}
		if left := glob(fmt.Sprintf("/tmp/.attach_pid%d", j.PID)); left != nil {
			t.Errorf("left behind: %v", left)
		}
	}
}
