package vm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/deploy/lab/vm"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// disks of every guest. They take so few writes a second that a commit of the
// journal is waited for.
var disks = []vm.Disk{
	{Name: "ordered", Type: "ext4", Writes: writesPerSecond},
	{Name: "writeback", Type: "ext4", Data: "data=writeback", Writes: writesPerSecond},
	{Name: "fastcommit", Type: "ext4", Feature: "fast_commit", Writes: writesPerSecond},
	{Name: "xfs", Type: "xfs", Writes: writesPerSecond},
}

const (
	writesPerSecond = 60
	guestLimit      = 15 * time.Minute // and each takes a few; four times that with all tests
	lockdown        = "lockdown=confidentiality"
)

var (
	guestTests = plan.Command{Args: []string{"/guest.test", "-test.v=test2json"}}
	bpfTests   = plan.Command{Args: []string{"/bpf.test", "-test.v=test2json"}, Dir: "/bpf"}
	// bpfKernel are those of its tests that ask what a kernel does, not what
	// package bpf makes of it.
	bpfKernel = plan.Command{Dir: "/bpf", Args: []string{"/bpf.test", "-test.v=test2json", "-test.run",
		"^Test(WriteFields|DirtyInodeAndJournal|CommitOrigin|CommitStats|FastCommit|Fsync|HandleWait|LogGrant|LogForce|BlockIO|OffCPUAsleep|Sites|LifeSites|FunctionSites)$",
		"-test.skip", "^TestHandleWait$/^(tp_btf|tracepoint)$"}} // a minute each, until somebody waits
	// attaching is enough for the matrix.
	attaching = plan.Command{Args: []string{"/guest.test", "-test.v=test2json", "-test.run", "^(TestAttach|TestMonitors)$"}}
)

// commands of a guest. To load programs takes an emulator seconds: all tests of
// package bpf, in all guests, are run only where LAB_GUESTS is "all" (an hour).
func commands(c column) []plan.Command {
	switch {
	case *update:
		return []plan.Command{attaching}
	case os.Getenv("LAB_GUESTS") == "all":
		return []plan.Command{guestTests, bpfTests}
	case c.locked, os.Getenv("LAB_GUESTS") == twoGuests:
		return []plan.Command{guestTests}
	}
	return []plan.Command{guestTests, bpfKernel}
}

// twoGuests has only the two run that differ most: the oldest kernel, locked down,
// and the newest as it is.
const twoGuests = "two"

func (c column) wanted() bool {
	oldest, newest := column{vm.Kernels[0].Name, true}, column{vm.Kernels[len(vm.Kernels)-1].Name, false}
	return os.Getenv("LAB_GUESTS") != twoGuests || c == oldest || c == newest
}

// needGuests skips where they are not asked for: they take minutes.
func needGuests(t *testing.T) {
	t.Helper()
	if os.Getenv("LAB_GUESTS") == "" {
		t.Skip("guests take minutes: make test-vm")
	}
}

func openHost(t *testing.T) *vm.Host {
	t.Helper()
	host, err := vm.Open(t.Context(), trial.Progress(t))
	if errors.Is(err, vm.ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return host
}

// programs are the tests that run in every guest, and the directory whose
// content is where each runs.
type programs struct{ guest, bpf, bpfDir string }

func buildPrograms(t *testing.T) programs {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p := programs{filepath.Join(dir, "guest.test"), filepath.Join(dir, "bpf.test"), filepath.Join(root, "bpf")}
	err = errors.Join(
		vm.Build(t.Context(), filepath.Join(root, "deploy", "lab"), "./vm/guest", p.guest, true),
		vm.Build(t.Context(), root, "./bpf", p.bpf, true))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGuests runs, in each kernel, as it is and locked down, the tests of package
// guest and, as it is, those of package bpf that ask the kernel, and compares what attached where
// with the README. Two guests at a time: each keeps one processor busy.
func TestGuests(t *testing.T) {
	needGuests(t)
	host, programs := openHost(t), buildPrograms(t)
	found := &matrix{}
	t.Run("kernel", func(t *testing.T) {
		for _, k := range vm.Kernels {
			for _, locked := range []bool{false, true} {
				c := column{k.Name, locked}
				if !c.wanted() {
					continue
				}
				t.Run(c.String(), func(t *testing.T) {
					t.Parallel()
					testGuest(t, host, k, c, programs, found)
				})
			}
		}
	})
	found.compare(t)
}

func testGuest(t *testing.T, host *vm.Host, k vm.Kernel, c column, p programs, found *matrix) {
	image, err := host.Image(t.Context(), k)
	if errors.Is(err, vm.ErrNotHere) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := host.Tools.Files("mkfs.ext4", "mkfs.xfs", "mount", "umount", "dd", "sync", "sleep")
	if err != nil {
		t.Fatal(err)
	}
	files["/guest.test"], files["/bpf.test"], files["/bpf"] = p.guest, p.bpf, p.bpfDir
	o := vm.Options{Image: image, Files: files, Disks: disks, Commands: commands(c)}
	if c.locked {
		o.CommandLine = lockdown
	}
	limit := guestLimit
	if os.Getenv("LAB_GUESTS") == "all" {
		limit *= 4
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	r, err := host.Run(ctx, o)
	if r == nil {
		t.Fatal(err)
	}
	t.Logf("Linux %s %s: %s", image.Release, o.CommandLine, r.Took.Round(time.Second))
	for i, name := range []string{"guest", "bpf"}[:len(r.Outputs)] {
		t.Run(name, func(t *testing.T) { report(t, &r.Outputs[i]) })
	}
	if err != nil {
		t.Fatalf("%v; the kernel said:\n%s", err, r.Console)
	}
	if err := found.take(c, r.Outputs[0].Text); err != nil {
		t.Error(err)
	}
}
