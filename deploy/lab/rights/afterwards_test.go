package rights

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/rights"
)

// TestUnprivileged: a user who owns nothing, with a binary that has the
// capabilities of the table, traces another user's broker, holds afterwards
// what is kept and nothing else, and takes the broker up again when it was
// killed and started anew, monitors included.
func TestUnprivileged(t *testing.T) {
	s := set(t)
	give(t, s.Bin, rights.Start)
	file := filepath.Join(s.own, "run.pcapng")
	ts := s.start(t, as(ourUID, 0, s.Bin, "run", "--record", file))
	s.until(t, ts)
	holdsOnly(t, ts, rights.Attach)
	old := s.Broker.PID()
	s.restart(t)
	s.until(t, ts)
	holdsOnly(t, ts, rights.Attach)
	trial.Stop(t, ts)
	joined, waits := map[int32]int{}, map[int32]int{}
	for _, r := range replay[assemble.JoinedRow](t, s, file, "joined") {
		joined[r.PID]++
	}
	for _, r := range replay[assemble.WaitRow](t, s, file, "waits") {
		waits[r.PID]++
	}
	t.Logf("joined %v, waits %v", joined, waits)
	for _, pid := range []int{old, s.Broker.PID()} {
		if joined[int32(pid)] == 0 || waits[int32(pid)] == 0 {
			t.Errorf("of broker %d %d joins, %d waits", pid, joined[int32(pid)], waits[int32(pid)])
		}
	}
}

// TestRoot gives up as much, but for what asks the JVM of another user for its
// threads' names, and goes on to write a recording into a directory that it
// could not open a file in any more.
func TestRoot(t *testing.T) {
	s := set(t)
	if err := errors.Join(os.Chown(s.own, ourUID, ourUID), os.Chmod(s.own, 0o700)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.own, "run.pcapng")
	ts := s.start(t, []string{s.Bin, "run", "--record", file, "--pid", strconv.Itoa(s.Broker.PID())})
	s.until(t, ts)
	holdsOnly(t, ts, rights.Attach|rights.Ask)
	trial.Stop(t, ts)
	rows := replay[assemble.JoinedRow](t, s, file, "joined")
	for _, r := range rows {
		if !strings.HasPrefix(r.Thread, "data-plane-kafka-request-handler-") {
			t.Errorf("thread %d of another user's broker is called %q", r.TID, r.Thread)
		}
	}
	if len(rows) == 0 {
		t.Error("nothing was joined")
	}
}

// TestGoverned: what was kept is enough for the governor: the probes go at the
// first wait, come back, and see the next.
func TestGoverned(t *testing.T) {
	s := set(t)
	give(t, s.Bin, rights.Start)
	ts := s.start(t, as(ourUID, 0, s.Bin, "run", "--pid", strconv.Itoa(s.Broker.PID()), "--max-waits-rate", "1"))
	s.until(t, ts)
	for _, what := range []string{"the monitor probes are back", "the probes are taken off"} {
		err := ts.Until(t.Context(), patience, func() bool {
			out, _ := ts.Output()
			_, later, _ := strings.Cut(out, "the probes are taken off")
			return strings.Contains(later, what)
		})
		if err != nil {
			t.Fatalf("%q: %v", what, err)
		}
	}
	holdsOnly(t, ts, rights.Attach)
	trial.Stop(t, ts)
}

func (s *stage) start(t *testing.T, line []string) *tailspan.Sidecar {
	t.Helper()
	ts, err := tailspan.Start(line[0], filepath.Join(s.Dir, "tailspan.log"), []string{trial.NoExport}, nil, line[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(unix.SIGKILL, time.Second) })
	return ts
}

// until waits until the broker of this moment is traced under load, and then
// for some stalls.
func (s *stage) until(t *testing.T, ts *tailspan.Sidecar) {
	t.Helper()
	err := ts.Until(t.Context(), patience, func() bool {
		out, _ := ts.Output()
		return strings.Contains(out, fmt.Sprintf(`msg="tracing broker" pid=%d `, s.Broker.PID()))
	})
	if err != nil {
		t.Fatal(err)
	}
	s.underLoad(t)
	time.Sleep(watch)
}

// restart kills the broker and starts it anew on its port, under load.
func (s *stage) restart(t *testing.T) {
	t.Helper()
	port := s.Broker.Port
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	_ = s.Broker.Process.Stop(unix.SIGKILL, 5*time.Second)
	if err := s.StartBroker(t.Context(), port); err != nil {
		t.Fatal(err)
	}
	for n := range s.Config.Producers {
		l := s.Config.Load
		l.Topic = s.Topic
		p, err := s.Broker.Produce(10+n, l)
		if err != nil {
			t.Fatal(err)
		}
		s.Producers = append(s.Producers, p)
	}
}

// holdsOnly holds every thread to what the log says is kept, which is not more
// than any kernel takes.
func holdsOnly(t *testing.T, ts *tailspan.Sidecar, want rights.Set) {
	t.Helper()
	pid := ts.PID()
	if out, _ := ts.Output(); !strings.Contains(out, fmt.Sprintf("kept=%q", want)) {
		want |= rights.Load
		if !strings.Contains(out, fmt.Sprintf("kept=%q", want)) {
			t.Fatalf("kept is neither %v nor that and what loads probes:\n%s", want, out)
		}
	}
	t.Logf("%v kept", want)
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) < 2 {
		t.Fatalf("%d threads: %v", len(threads), err)
	}
	all := fmt.Sprintf("%016x", uint64(want))
	none := fmt.Sprintf("%016x", 0)
	for _, name := range threads {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it ended
		}
		for key, value := range map[string]string{"CapPrm": all, "CapEff": all, "CapInh": none, "CapAmb": none, "NoNewPrivs": "1"} {
			if !strings.Contains(string(b), key+":\t"+value+"\n") {
				t.Errorf("%s: %s is not %s:\n%s", name, key, value, b)
			}
		}
	}
}
