package bpf

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// round is what testdata/Park.java says of one turn, in ns of CLOCK_MONOTONIC
// (os::javaTimeNanos).
type round struct{ wished, released, had int64 }

// A real JVM's ReentrantLock and ArrayBlockingQueue: where the thread waits for
// the lock it is parked without a limit until its holder lets go; in the queue,
// with one. The scheduler and HotSpot's probes tell the same.
func TestParkOfJVM(t *testing.T) {
	t.Run("kernel", func(t *testing.T) { testParkOfJVM(t, true) })
	t.Run("usdt", func(t *testing.T) { testParkOfJVM(t, false) })
}

func testParkOfJVM(t *testing.T, kernel bool) {
	p := open(t, Options{see: []string{SubjectWrite, SubjectWake, SubjectPark}, NoParks: !kernel})
	if kernel {
		needSubject(t, p, SubjectPark)
	}
	f := createSegment(t, memory(t), "orders-0", segment)
	const n = 8
	cmd, in, out := startParking(t, f.Name(), n)
	pid := int32(cmd.Process.Pid)
	if err := p.Trace(pid); err != nil {
		t.Fatal(err)
	}
	if !kernel {
		libjvm := libjvmOf(t, cmd.Path)
		sees, err := p.AttachSites(pid, libjvm, readProbes(t, libjvm, `thread__(?:park__\w+|unpark)`))
		if err != nil {
			t.Fatal(err)
		}
		defer sees.Close()
	}
	if _, err := io.WriteString(in, "\n"); err != nil {
		t.Fatal(err)
	}
	var rounds [n]round
	for range 2 * n { // in any order
		var i int
		var a, b int64
		if !out.Scan() {
			t.Fatal("the JVM ended: ", out.Err())
		}
		if _, err := fmt.Sscanf(out.Text(), "had %d %d %d", &i, &a, &b); err == nil {
			rounds[i].wished, rounds[i].had = a, b
		} else if _, err := fmt.Sscanf(out.Text(), "released %d %d", &i, &a); err == nil {
			rounds[i].released = a
		} else {
			t.Fatalf("the JVM says %q", out.Text())
		}
	}
	holder := threadNamed(t, pid, "holder")
	locks := 0
	idle, slept := map[uint32]int{}, map[uint32]bool{} // by what it slept on
	for _, s := range only(drain(t, p), KindPark) {
		if s.TGID != pid {
			continue
		}
		check(t, "comm", string(s.Park.Comm), "waiter")
		check(t, "by the kernel", s.Park.Kernel, kernel)
		if s.Park.Timed {
			if s.Park.Waker != 0 {
				idle[s.Park.Futex]++
				check(t, "who put something into the queue", s.Park.Waker, holder)
			}
			continue
		}
		for i, r := range rounds {
			if s.Park.Start < r.wished || s.Time > r.had {
				continue
			}
			locks++
			slept[s.Park.Futex] = true
			check(t, "who let go of the lock", s.Park.Waker, holder)
			if s.Park.Woken < r.released || s.Park.Woken > s.Time {
				t.Errorf("round %d: woken at %d, released at %d, ran on at %d", i, s.Park.Woken, r.released, s.Time)
			}
			t.Logf("round %d: parked %v after the wish, woken %v after the release, had it %v after it ran on", i,
				time.Duration(s.Park.Start-r.wished), time.Duration(s.Park.Woken-r.released), time.Duration(r.had-s.Time))
		}
	}
	check(t, "waits for the lock", locks, n)
	check(t, "what it slept on for the lock", len(slept), 1)
	for futex := range slept {
		// Another one is for the monitor of System.out. A thread that comes late
		// need not wait in the queue.
		t.Logf("%d waits in the queue of %d turns", idle[futex], n)
		check(t, "waits in the queue", idle[futex] > 0, true)
	}
	if st, err := p.Stats(); err != nil || st.Missed > 0 || st.Lost[KindPark] > 0 {
		t.Logf("%d runs missed, %d records lost, %v", st.Missed, st.Lost[KindPark], err)
	}
}

func startParking(t *testing.T, segment string, rounds int) (*exec.Cmd, io.Writer, *bufio.Scanner) {
	t.Helper()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no JVM")
	}
	cmd := exec.Command(java, "-Xmx64m", "testdata/Park.java", segment, strconv.Itoa(rounds))
	cmd.Stderr = t.Output()
	in, err1 := cmd.StdinPipe()
	pipe, err2 := cmd.StdoutPipe()
	if err := errorsOf(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	out := bufio.NewScanner(pipe)
	if !out.Scan() || out.Text() != "ready" {
		t.Fatalf("the JVM says %q, %v", out.Text(), out.Err())
	}
	return cmd, in, out
}

// threadNamed finds a thread by its comm.
func threadNamed(t *testing.T, pid int32, name string) int32 {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(dir + "/" + task.Name() + "/comm")
		if err == nil && strings.TrimSpace(string(b)) == name {
			tid, err := strconv.ParseInt(task.Name(), 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			return int32(tid)
		}
	}
	t.Fatalf("no thread %s", name)
	return 0
}

func libjvmOf(t *testing.T, java string) string {
	t.Helper()
	java, err := filepath.EvalSymlinks(java)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(filepath.Dir(filepath.Dir(java)), "lib/server/libjvm.so")
}
