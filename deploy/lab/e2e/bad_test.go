package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// warnings are the lines of a log from WARN upwards.
func warnings(t *testing.T, ts *tailspan.Sidecar) (some []string) {
	t.Helper()
	out, err := ts.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") {
			some = append(some, strings.TrimSpace(line))
		}
	}
	return some
}

// mustWarnOnce wants exactly one warning with the word, so that it is neither
// silent nor a flood.
func mustWarnOnce(t *testing.T, ts *tailspan.Sidecar, word string) {
	t.Helper()
	n, all := 0, warnings(t, ts)
	for _, line := range all {
		if strings.Contains(line, word) {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d warnings with %q, want one, among:\n%s", n, word, strings.Join(all, "\n"))
	}
}

// TestJVMWithoutFlag: monitors are seen by functions of libjvm, which do not know
// their classes, and one line says so.
func TestJVMWithoutFlag(t *testing.T) {
	trial.NeedRoot(t)
	c := quick()
	c.JVM = nil
	s := set(t, c)
	s.load(t)
	var waits []assemble.WaitRow
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&waits), "--print", "waits")
	time.Sleep(5 * time.Second)
	trial.Stop(t, ts)
	mustWarnOnce(t, ts, "DTraceMonitorProbes")
	held := 0
	for _, w := range waits {
		if w.Class != "" || w.Latency < 0 {
			t.Errorf("%+v", w)
		}
		if len(w.Holders) > 0 {
			held++
		}
	}
	t.Logf("%d waits, %d with holders", len(waits), held)
	if held == 0 {
		t.Error("no wait has a holder")
	}
}

// TestCollectorAway: requests go on, one line says who is away, and the end
// is not held up.
func TestCollectorAway(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, quick())
	s.load(t)
	nobody := trial.FreeAddress(t)
	var rows []assemble.RequestRow
	ts := s.watch(t, "tailspan", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + nobody}, tailspan.Into(&rows),
		"--print", "requests", "--slo", "0")
	time.Sleep(8 * time.Second)
	begin := time.Now()
	if err := ts.Stop(); err != nil {
		t.Errorf("the end: %v", err)
	}
	if took := time.Since(begin); took > 7*time.Second {
		t.Errorf("the end took %s, want what is pending flushed within 5 s", took)
	}
	mustWarnOnce(t, ts, nobody)
	if len(rows) == 0 {
		t.Error("no request was printed")
	}
}

// TestForeignPort: a port that speaks HTTP is no broker's; the broker's own
// requests go on.
func TestForeignPort(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, quick())
	s.load(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "hello") })}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(l)
	defer server.Close()
	var rows []assemble.RequestRow
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&rows), "--print", "requests",
		"--port", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		resp, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	trial.Stop(t, ts)
	for _, r := range rows {
		if r.Broker == l.Addr().String() {
			t.Fatalf("a request was made of HTTP: %+v", r)
		}
	}
}

// TestBrokerDiesAndComesBack: killed in the middle of load and started again
// on its port, it is traced again, and tailspan ends well.
func TestBrokerDiesAndComesBack(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, quick())
	s.load(t)
	var rows []assemble.JoinedRow
	// Without --pid: the broker comes back with another one.
	ts, err := tailspan.Start(s.Bin, s.Dir+"/tailspan.log", []string{trial.NoExport}, tailspan.Into(&rows),
		"run", "--print", "joined", "--format", "jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer ts.Process.Stop(syscall.SIGKILL, time.Second)
	time.Sleep(4 * time.Second)
	old, port := s.Broker.PID(), s.Broker.Port
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	_ = s.Broker.Process.Stop(syscall.SIGKILL, 5*time.Second)
	if err := s.StartBroker(t.Context(), port); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Broker.Produce(9, kafka.Load{Topic: s.Topic, PerSecond: 300, RecordSize: 300}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(15 * time.Second)
	trial.Stop(t, ts)
	byPID := map[int32]int{}
	for _, r := range rows {
		byPID[r.PID]++
	}
	if byPID[int32(old)] == 0 || byPID[int32(s.Broker.PID())] == 0 {
		t.Errorf("joined rows by pid %v, want some of %d and of %d", byPID, old, s.Broker.PID())
	}
}

// TestNoBroker: nothing to trace is said in a line, with exit code 2.
func TestNoBroker(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, quick())
	ts, err := tailspan.Start(s.Bin, s.Dir+"/tailspan.log", []string{trial.NoExport}, nil, "run", "--pid", "1")
	if err != nil {
		t.Fatal(err)
	}
	defer ts.Process.Stop(syscall.SIGKILL, time.Second)
	select {
	case <-ts.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("it still runs")
	}
	out, _ := ts.Output()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; ts.ExitCode() != tailspan.Nothing || !strings.Contains(last, "pid 1") {
		t.Errorf("exit code %d, want %d; last said %q", ts.ExitCode(), tailspan.Nothing, last)
	}
	if w := warnings(t, ts); len(w) > 0 {
		t.Errorf("also said %q", w)
	}
}
