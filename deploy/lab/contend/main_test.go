package contend

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

func TestMain(m *testing.M) { trial.Main(m) }

// launched starts the program on a JDK; it ends with the test.
func launched(t *testing.T, j jdk.JDK, dir string, options ...string) *Program {
	t.Helper()
	p, err := Start(t.Context(), Config{Java: j.Java(), JVM: options, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// tracesWithin is what attaching may take where much else is running.
const tracesWithin = time.Minute

// record has tailspan record what a JVM does, whose probes are on when it returns.
func record(t *testing.T, bin, dir string, pid int) (ts *tailspan.Sidecar, file string) {
	t.Helper()
	file = filepath.Join(dir, "record.pcapng")
	ts, err := tailspan.Start(bin, filepath.Join(dir, "tailspan.log"), []string{trial.NoExport}, nil,
		"record", "--pid", fmt.Sprint(pid), "-o", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(syscall.SIGKILL, time.Second) })
	tracing := func() bool {
		out, _ := ts.Output()
		return strings.Contains(out, fmt.Sprintf(`msg="tracing broker" pid=%d `, pid))
	}
	if err := ts.Until(t.Context(), tracesWithin, tracing); err != nil {
		t.Fatal(err)
	}
	return ts, file
}

// waits are those of a recording.
func waits(t *testing.T, bin, dir, file string) []assemble.WaitRow {
	t.Helper()
	rows, err := tailspan.Replay[assemble.WaitRow](t.Context(), bin, filepath.Join(dir, "replay.log"), file, "waits")
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// sinceBoot is what Unix time is ahead of CLOCK_MONOTONIC: of several looks the
// one that was interrupted least.
func sinceBoot(t *testing.T) (ahead int64) {
	t.Helper()
	best := int64(math.MaxInt64)
	for range 50 {
		before, wall, after := clock(t, unix.CLOCK_MONOTONIC), clock(t, unix.CLOCK_REALTIME), clock(t, unix.CLOCK_MONOTONIC)
		if after-before < best {
			best, ahead = after-before, wall-(before+after)/2
		}
	}
	return ahead
}

func clock(t *testing.T, id int32) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}

// window is a time in which something ran, in Unix nanoseconds.
type window struct{ from, to int64 }

func (w window) has(t int64) bool { return t >= w.from && t < w.to }
