package jvm

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// alive names a process that runs.
func alive(t testing.TB, pid int32) Process {
	t.Helper()
	start, err := proc{"/proc", pid}.startTime()
	if err != nil {
		t.Fatal(err)
	}
	return Process{pid, start}
}

// wantFlag asks the JVM's memory, on a way of its own.
func wantFlag(t testing.TB, p Process, want bool) {
	t.Helper()
	if on, err := (proc{"/proc", p.PID}).flagInMemory(); err != nil || on != want {
		t.Errorf("the flag of %d is %v, %v, want %v", p.PID, on, err, want)
	}
}

// mayWriteOrSkip skips where this user or container may not do it at all.
func mayWriteOrSkip(t testing.TB, p Process) {
	t.Helper()
	b, err := openProbeByte("/proc", p)
	if errors.Is(err, ErrNoMemory) {
		t.Skip(err)
	}
	if err == nil {
		b.Close()
	}
}

// TestSet writes both ways, there and back, on every JDK.
func TestSet(t *testing.T) {
	for _, home := range jdks(t) {
		t.Run(filepath.Base(home), func(t *testing.T) {
			p := alive(t, startJVM(t, home, nil))
			mayWriteOrSkip(t, p)
			wantTypes(t, p)
			for _, descriptor := range []bool{true, false} {
				b, err := openProbeByte("/proc", p)
				if err != nil {
					t.Fatal(err)
				}
				b.m.writable = b.m.writable && descriptor
				wantFlag(t, p, false)
				if err := b.set(1); err != nil {
					t.Error(err)
				}
				wantFlag(t, p, true)
				if err := b.set(1); !errors.Is(err, ErrNotWritten) {
					t.Errorf("on and on: %v", err)
				}
				if err := b.set(0); err != nil {
					t.Error(err)
				}
				wantFlag(t, p, false)
				b.Close()
			}
		})
	}
}

// wantTypes: a bool is told from what is none.
func wantTypes(t *testing.T, p Process) {
	t.Helper()
	b, err := openProbeByte("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for name, boolean := range map[string]bool{"UseSerialGC": true, "MaxHeapSize": false, "ErrorFile": false, "ParallelGCThreads": false} {
		if row, err := b.m.flag(name); err != nil || row.boolean != boolean || !b.m.holds(row.addr) {
			t.Errorf("%s: %+v, %v", name, row, err)
		}
	}
}

// A value that is neither 0 nor 1 is no flag that we know: it is left alone,
// before and after it was found, and so is one that somebody else has set.
func TestSetOfOtherValue(t *testing.T) {
	p := alive(t, startJVM(t, jdks(t)[0], nil))
	mayWriteOrSkip(t, p)
	b, err := openProbeByte("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, value := range []byte{7, 1} {
		if err := b.write(value); err != nil {
			t.Fatal(err)
		}
		if err := b.set(1); !errors.Is(err, ErrNotWritten) {
			t.Errorf("%d since it was found: %v", value, err)
		}
		if _, err := openProbeByte("/proc", p); value == 7 && !errors.Is(err, errTable) {
			t.Errorf("found as %d: %v", value, err)
		}
		var got [1]byte
		if err := b.m.read(got[:], b.addr); err != nil || got[0] != value {
			t.Errorf("%d is %d now, %v", value, got[0], err)
		}
	}
}

// TestSetOfMoved: an address that is not the flag's is not written to, though
// it is writable data of libjvm.
func TestSetOfMoved(t *testing.T) {
	p := alive(t, startJVM(t, jdks(t)[0], nil))
	mayWriteOrSkip(t, p)
	b, err := openProbeByte("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.addr++
	var before, after [1]byte
	if err := errors.Join(b.m.read(before[:], b.addr), b.set(1), b.m.read(after[:], b.addr)); !errors.Is(err, ErrNotWritten) || before != after {
		t.Errorf("%v, %d became %d", err, before, after)
	}
	wantFlag(t, p, false)
}

func TestSetOfEnded(t *testing.T) {
	pid := startJVM(t, jdks(t)[0], nil)
	p := alive(t, pid)
	mayWriteOrSkip(t, p)
	b, err := openProbeByte("/proc", p)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := openProbeByte("/proc", Process{pid, p.StartTime + 1}); !errors.Is(err, ErrGone) {
		t.Errorf("another process of that pid: %v", err)
	}
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); Alive("/proc", p) && time.Since(began) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if err := b.set(1); !errors.Is(err, ErrGone) {
		t.Errorf("ended since it was found: %v", err)
	}
	var value [1]byte // the address space goes with the last thread, a little after the first
	for began := time.Now(); b.m.read(value[:], b.addr) == nil && time.Since(began) < 10*time.Second; {
		time.Sleep(time.Millisecond)
	}
	if err := b.write(1); err == nil {
		t.Error("written to a process that has ended")
	}
}

// TestNotHotSpot: whatever is no HotSpot with probes gives a clear error.
func TestNotHotSpot(t *testing.T) {
	home := jdks(t)[0]
	ledger := Ledger{Dir: filepath.Join(t.TempDir(), "state"), Proc: "/proc"}
	if _, err := ledger.SwitchOn(alive(t, int32(os.Getpid()))); !errors.Is(err, ErrNoJVM) {
		t.Errorf("ourselves: %v", err)
	}
	if _, err := ledger.SwitchOn(Process{1 << 29, 1}); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
	mapped := alive(t, mapOnly(t, libjvmOf(home)))
	mayWriteOrSkip(t, mapped)
	if _, err := ledger.SwitchOn(mapped); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("libjvm.so is only mapped: %v", err)
	} else {
		t.Log("libjvm.so is only mapped:", err)
	}
	for _, c := range []struct {
		name, old, new string
		want           error
	}{
		{"without tables", "gHotSpotVMStructs\x00", "gHotSpotVMStructz\x00", errNoSymbol},
		{"without the flag", "DTraceMonitorProbes\x00", "DTraceMonitorProbez\x00", ErrNoFlag},
		{"without probes", ".note.stapsdt\x00", ".note.stapsdz\x00", ErrNoProbes},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := alive(t, startJVM(t, changedJDK(t, home, c.old, c.new), nil))
			_, err := ledger.SwitchOn(p)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			t.Log(err)
			if err := CanSwitch("/proc", p); !errors.Is(err, c.want) {
				t.Errorf("CanSwitch: %v", err)
			}
			if c.want == ErrNoProbes {
				wantFlag(t, p, false)
			}
		})
	}
	if left, err := filepath.Glob(ledger.Dir + "/" + debtPrefix + "*"); err != nil || len(left) > 0 {
		t.Errorf("noted: %v, %v", left, err)
	}
}

// changedJDK is a JDK whose libjvm.so has one name changed, the rest as it is.
func changedJDK(t *testing.T, home, old, new string) string {
	t.Helper()
	dir := t.TempDir()
	copied := map[string]bool{"": true, "bin": true, "bin/java": true, "lib": true, "lib/server": true, "lib/server/libjvm.so": true}
	for _, at := range []string{"", "bin", "lib", "lib/server"} {
		if err := os.MkdirAll(filepath.Join(dir, at), 0o755); err != nil {
			t.Fatal(err)
		}
		entries, err := os.ReadDir(filepath.Join(home, at))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.Join(at, e.Name())
			if copied[name] {
				continue
			}
			if err := os.Symlink(filepath.Join(home, name), filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, name := range []string{"bin/java", "lib/server/libjvm.so"} {
		b, err := os.ReadFile(filepath.Join(home, name))
		if err != nil {
			t.Fatal(err)
		}
		if name != "bin/java" {
			if !bytes.Contains(b, []byte(old)) {
				t.Fatalf("no %q in %s", old, name)
			}
			b = bytes.ReplaceAll(b, []byte(old), []byte(new))
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const mapChild = "JVM_TEST_MAP"

// mapOnly runs a program that is no JVM and has the library mapped as a file.
func mapOnly(t *testing.T, lib string) int32 {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestMapOnly$")
	cmd.Env = append(os.Environ(), mapChild+"="+lib)
	return run(t, cmd, "up")
}

func TestMapOnly(t *testing.T) {
	lib := os.Getenv(mapChild)
	if lib == "" {
		t.Skip("is the child of another test")
	}
	f, err := os.Open(lib)
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	b, err := syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("up\n")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = syscall.Munmap(b)
}
