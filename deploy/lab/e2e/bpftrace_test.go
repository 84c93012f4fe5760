package e2e

import (
	"bufio"
	_ "embed"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

//go:embed testdata/writes.bt
var writesProgram string

const (
	slowWrite   = 5 * time.Millisecond
	bpftraceFor = 20 * time.Second
	// Two programs on one tracepoint read the clock one after the other; a
	// thread's slow writes are much farther apart than this.
	tolerance = time.Millisecond
)

// traced is a write that bpftrace saw.
type traced struct {
	text       string // bpftrace's line
	tid        int32
	start, end int64 // monotonic
	file       string
}

func (w traced) length() time.Duration { return time.Duration(w.end - w.start) }

// TestSlowWritesAreBpftraces holds the writes over 5 ms to those of a bpftrace
// program in the same run, by thread and start, both ways.
func TestSlowWritesAreBpftraces(t *testing.T) {
	trial.NeedRoot(t)
	needTool(t, "bpftrace")
	s := set(t, scene1())
	s.load(t)
	oracle := startBpftrace(t, s, writesProgram)
	var rows []assemble.WriteRow
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&rows), "--print", "writes")
	time.Sleep(time.Second)
	begin := monotonic(t)
	time.Sleep(bpftraceFor)
	end := monotonic(t)
	time.Sleep(time.Second)
	trial.Stop(t, ts)
	want := parseWrites(t, oracle(t))
	offset := realtime(t) - monotonic(t)
	var got []traced
	for _, r := range rows {
		got = append(got, traced{tid: r.TID, start: r.Start - offset, end: r.End - offset, file: r.File})
	}
	in := func(all []traced, least time.Duration) (some []traced) {
		for _, w := range all {
			if w.start > begin && w.end < end && w.length() >= least {
				some = append(some, w)
			}
		}
		return some
	}
	slack := tolerance / 2 // a length at the border may fall on either side
	missing := without(in(want, slowWrite+slack), in(got, slowWrite-slack))
	extra := without(in(got, slowWrite+slack), in(want, slowWrite-slack))
	t.Logf("%d writes over %s by bpftrace, %d by tailspan", len(in(want, slowWrite)), slowWrite, len(in(got, slowWrite)))
	for _, w := range missing {
		t.Errorf("tailspan did not see %+v (%s)", w, w.length())
	}
	for _, w := range extra {
		t.Errorf("bpftrace did not see %+v (%s)", w, w.length())
	}
	if len(in(want, slowWrite)) == 0 {
		t.Error("no write took 5 ms: the disk did not stall")
	}
}

// without are the writes of a that have no match in b.
func without(a, b []traced) (rest []traced) {
	for _, w := range a {
		found := false
		for _, o := range b {
			d := time.Duration(w.start - o.start).Abs()
			found = found || o.tid == w.tid && d < tolerance
		}
		if !found {
			rest = append(rest, w)
		}
	}
	return rest
}

// startBpftrace runs a program on the broker, and returns what ends it and gives
// what it printed.
func startBpftrace(t *testing.T, s *stage, program string) func(*testing.T) string {
	t.Helper()
	p, err := child.Start("bpftrace", filepath.Join(s.Dir, "bpftrace.log"),
		exec.Command("bpftrace", "-e", program, fmt.Sprint(s.Broker.PID())))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(syscall.SIGKILL, time.Second) })
	attached := func() bool { out, _ := p.Output(); return strings.Contains(out, "ready") }
	if err := p.Until(t.Context(), 30*time.Second, attached); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T) string {
		_ = p.Stop(syscall.SIGINT, 10*time.Second)
		out, err := p.Output()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// parseWrites gives the writes to .log files.
func parseWrites(t *testing.T, out string) (all []traced) {
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		w := traced{text: lines.Text()}
		if n, _ := fmt.Sscanf(lines.Text(), "write %d %d %d %s", &w.tid, &w.start, &w.end, &w.file); n == 4 && strings.HasSuffix(w.file, ".log") {
			all = append(all, w)
		}
	}
	return all
}

func monotonic(t *testing.T) int64 { return clock(t, unix.CLOCK_MONOTONIC) }
func realtime(t *testing.T) int64  { return clock(t, unix.CLOCK_REALTIME) }

func clock(t *testing.T, id int32) int64 {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(id, &ts); err != nil {
		t.Fatal(err)
	}
	return ts.Nano()
}
