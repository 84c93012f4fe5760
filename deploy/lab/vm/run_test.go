package vm_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/vm"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// asleep boots a guest that says "asleep" and does nothing more.
func asleep(ctx context.Context, host *vm.Host, out *lines) (*vm.Result, error) {
	image, err := host.Image(ctx, vm.Kernels[0])
	if err != nil {
		return nil, err
	}
	files, err := host.Tools.Files("echo", "sleep")
	if err != nil {
		return nil, err
	}
	return host.Run(ctx, vm.Options{Image: image, Files: files, Output: out, Commands: []plan.Command{
		{Args: []string{"/usr/bin/echo", "asleep"}}, {Args: []string{"/usr/bin/sleep", "600"}}}})
}

// lines calls a function once, when the guest has said something.
type lines struct{ once func() }

func (l *lines) Write(b []byte) (int, error) {
	if l.once != nil {
		l.once()
		l.once = nil
	}
	return len(b), nil
}

// TestCancelledGuest: when its context ends a guest dies, and nothing of it
// stays.
func TestCancelledGuest(t *testing.T) {
	needGuests(t)
	host := openHost(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var running []emulator
	r, err := asleep(ctx, host, &lines{func() { running = emulators(t, os.Getpid()); cancel() }})
	if !errors.Is(err, vm.ErrGuest) || !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v", r, err)
	}
	// Of the exit code may not have been told when it died.
	if len(r.Outputs) == 0 || r.Outputs[0].Text != "asleep\n" || r.Outputs[0].Code > 0 {
		t.Errorf("outputs %+v", r.Outputs)
	}
	nothingLeft(t, running)
}

const killedSelf = "LAB_KILLED_GUEST"

// TestKilledGuest: a guest dies with who runs it, however that dies, and the
// next run sweeps its files.
func TestKilledGuest(t *testing.T) {
	needGuests(t)
	if os.Getenv(killedSelf) != "" {
		_, err := asleep(t.Context(), openHost(t), &lines{func() { os.Stdout.WriteString("up\n") }})
		t.Fatal("the guest ended: ", err)
	}
	openHost(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestKilledGuest$")
	cmd.Env = append(os.Environ(), killedSelf+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 3)
	if _, err := out.Read(said); err != nil || string(said) != "up\n" {
		t.Errorf("%q, %v", said, err)
	}
	running := emulators(t, cmd.Process.Pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	nothingLeft(t, running)
}

// emulator is a QEMU, and the directory of its files.
type emulator struct{ pid, dir string }

// emulators are those that a process has started.
func emulators(t *testing.T, parent int) (all []emulator) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		status, _ := os.ReadFile(f) // it may be gone
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(f), "cmdline"))
		if !bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", parent)) {
			continue
		}
		for arg := range bytes.SplitSeq(line, []byte{0}) {
			if filepath.Base(string(arg)) == "initramfs" {
				all = append(all, emulator{filepath.Base(filepath.Dir(f)), filepath.Dir(string(arg))})
			}
		}
	}
	return all
}

// nothingLeft wants the one emulator that ran to be gone, and its files with
// it, at the latest when somebody sweeps.
func nothingLeft(t *testing.T, running []emulator) {
	t.Helper()
	if len(running) != 1 {
		t.Fatalf("emulators while the guest ran: %v", running)
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join("/proc", running[0].pid)); err != nil {
			break
		}
		if time.Since(begun) > 5*time.Second {
			t.Fatalf("the emulator is left: %v", running)
		}
	}
	if _, err := cache.Sweep(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(running[0].dir); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", running[0].dir, err)
	}
}
