package guest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
)

// quiet waits until nothing of the file system is in memory alone.
func quiet(t *testing.T, m plan.Mount) {
	t.Helper()
	d, err := os.Open(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		t.Fatal(err)
	}
}

// transactions is how many the journal of an ext4 has committed, by jbd2's own
// count (fs/jbd2/journal.c, jbd2_seq_info_show).
func transactions(t *testing.T, m plan.Mount) (n int) {
	t.Helper()
	if m.Type != "ext4" {
		return 0
	}
	infos, _ := filepath.Glob("/proc/fs/jbd2/" + filepath.Base(deviceOf(t, m)) + "-*/info")
	if len(infos) != 1 {
		t.Fatalf("journals of %s: %q", m.Dir, infos)
	}
	info, err := os.ReadFile(infos[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(info), &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// fastCommits is how many an ext4 has made (fs/ext4/fast_commit.c,
// ext4_fc_info_show).
func fastCommits(t *testing.T, m plan.Mount) (n int) {
	t.Helper()
	if m.Type != "ext4" {
		return 0
	}
	info, err := os.ReadFile("/proc/fs/ext4/" + filepath.Base(deviceOf(t, m)) + "/fc_info")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(string(info), "fc stats:\n%d commits", &n); err != nil {
		t.Fatalf("%q: %v", info, err)
	}
	return n
}

// counted is a number that was read between two instants.
type counted struct {
	call
	n int
}

// sectorsWritten is how many a disk has written (Documentation/block/stat.rst).
// The number of requests, which stands there too, is not what the disk was
// asked: a flush without data counts as a write (block/blk-flush.c).
func sectorsWritten(t *testing.T, m plan.Mount) counted {
	t.Helper()
	c := counted{call: call{before: now()}}
	stat, err := os.ReadFile("/sys/block/" + filepath.Base(deviceOf(t, m)) + "/stat")
	if err != nil {
		t.Fatal(err)
	}
	c.after = now()
	var other int
	if _, err := fmt.Sscan(string(stat), &other, &other, &other, &other, &other, &other, &c.n); err != nil {
		t.Fatalf("%q: %v", stat, err)
	}
	return c
}

// deviceOf is the file of the device that is mounted.
func deviceOf(t *testing.T, m plan.Mount) string {
	t.Helper()
	mounts, err := os.Open("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	defer mounts.Close()
	for lines := bufio.NewScanner(mounts); lines.Scan(); {
		var device, dir string
		if _, err := fmt.Sscan(lines.Text(), &device, &dir); err == nil && dir == m.Dir {
			return device
		}
	}
	t.Fatalf("%s is not mounted", m.Dir)
	return ""
}

// tracer is the kernel's own, with a buffer apart (Documentation/trace/ftrace.rst,
// Instances): it counts an event of one thread.
type tracer struct{ dir string }

const (
	tracerDir = "/sys/kernel/tracing/instances/guest"
	tracerKiB = "16384" // a processor
)

var tracerEvents = []string{"writeback/writeback_dirty_inode", "syscalls/sys_enter_write", "syscalls/sys_exit_write"}

// countDirtyInodes begins to count a thread's runs of dirty_inode inside write(2);
// nil where lockdown keeps the tracer shut.
func countDirtyInodes(t *testing.T, tid int32) *tracer {
	t.Helper()
	err := os.Mkdir(tracerDir, 0o700)
	if err != nil {
		t.Logf("no tracer to count with: %v", err)
		return nil
	}
	c := &tracer{tracerDir}
	t.Cleanup(func() { os.Remove(tracerDir) })
	err = errors.Join(c.write("buffer_size_kb", tracerKiB), c.write("set_event_pid", strconv.Itoa(int(tid))), c.enable("1"))
	if errors.Is(err, unix.EPERM) {
		t.Logf("no tracer to count with: %v", err)
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *tracer) write(file, text string) error {
	return os.WriteFile(filepath.Join(c.dir, file), []byte(text), 0)
}

func (c *tracer) enable(yes string) (err error) {
	for _, e := range tracerEvents {
		err = errors.Join(err, c.write("events/"+e+"/enable", yes))
	}
	return err
}

// count ends the counting.
func (c *tracer) count(t *testing.T) (n int) {
	t.Helper()
	trace, err := os.ReadFile(filepath.Join(c.dir, "trace"))
	if err = errors.Join(err, c.enable("0")); err != nil {
		t.Fatal(err)
	}
	within := false
	for line := range bytes.Lines(trace) {
		switch {
		case bytes.Contains(line, []byte(": sys_write(")):
			within = true
		case bytes.Contains(line, []byte(": sys_write -> ")):
			within = false
		case within && bytes.Contains(line, []byte(": writeback_dirty_inode: ")):
			n++
		}
	}
	return n
}
