package otlp

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestHelperExporter is no test: it is the process that TestKilled kills. It
// exports traces by number, or none where that is negative, and says what it
// knows of them.
func TestHelperExporter(t *testing.T) {
	dir, first := os.Getenv("TAILSPAN_TEST_DIR"), os.Getenv("TAILSPAN_TEST_FIRST")
	if dir == "" {
		t.Skip("is run by TestKilled")
	}
	n, _ := strconv.Atoi(first)
	e, err := New(context.Background(), Options{QueueSpans: 2000, Dir: dir, DirBytes: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("began", e.Stats().Torn.Traces)
	for ; n >= 0; n++ {
		for s := e.Stats(); s.Queued.Spans-s.Disk.Queued.Spans > 1900; s = e.Stats() {
			time.Sleep(50 * time.Microsecond)
		}
		if !e.Export(fiveSpans(n)) {
			t.Fatal("not accepted")
		}
		if n%50 == 0 {
			fmt.Println("disk", e.Stats().Disk.Spilled.Traces)
		}
	}
	for range 60_000 {
		fmt.Println("sent", e.Stats().Exported.Traces)
		time.Sleep(time.Millisecond)
	}
}

// emptied waits longer than other tests do: there is much to send.
func emptied(t *testing.T, e *Exporter) {
	t.Helper()
	for range 60 {
		if e.Stats().Queued == (Count{}) {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatalf("never empty: %+v", e.Stats())
}

// A process is killed (SIGKILL) while it writes, again and again, always with
// the same directory: what it had on disk is there, whole, once and in order,
// and of what it was writing at most one trace is torn.
func TestKilled(t *testing.T) {
	dir, addr := t.TempDir(), freePort(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+addr)
	const rounds, each = 12, 1_000_000 // numbers of a round
	atLeast, torn := make([]int, rounds), 0
	for r := range rounds {
		written, before := killed(t, dir, r*each, time.Duration(20+13*r)*time.Millisecond)
		atLeast[r], torn = written, torn+before
	}
	c := listen(t, addr)
	e, log := connect(t, addr, Options{Dir: dir, DirBytes: 1 << 30})
	emptied(t, e)
	s := e.Stats()
	balanced(t, s)
	got, whole := c.traces(), 0
	torn += int(s.Torn.Traces)
	for r, least := range atLeast {
		there := func(n int) bool { id := fiveSpans(r*each + n).ID; return got[string(id[:])] == 5 }
		n, from := 0, 0
		if !there(0) { // the first were being sent
			from = batchSpans / 5
		}
		for there(from + n) {
			n++
		}
		if n < least {
			t.Errorf("round %d: %d traces in order, %d had been on disk", r, n, least)
		}
		whole += n
	}
	if whole != len(got) || torn > rounds || s.Corrupt != (Count{}) || uint64(whole) != s.Exported.Traces {
		t.Errorf("%d traces arrived, %d of them in order: %+v", len(got), whole, s)
	}
	t.Logf("%d traces of %d killed processes arrived, %d torn\n%s", whole, rounds, torn, log)
}

// A process is killed while it sends what is on disk: the next one goes on,
// with no more twice than one batch.
func TestKilledSending(t *testing.T) {
	dir, addr := t.TempDir(), freePort(t)
	e, _ := connect(t, addr, Options{QueueSpans: 2000, Dir: dir})
	const n, rounds = 5000, 8
	give(t, e, 0, n)
	flush(e, time.Second)
	c := listen(t, addr)
	for r := range rounds {
		killed(t, dir, -1, time.Duration(r)*time.Millisecond)
	}
	e, _ = connect(t, addr, Options{Dir: dir})
	left := e.Stats().Restored
	emptied(t, e)
	balanced(t, e.Stats())
	got, twice := c.traces(), 0
	for _, spans := range got {
		if spans > 5 {
			twice++
		}
	}
	if len(got) != n || left.Traces == n || twice > rounds*(batchSpans/5) {
		t.Errorf("%d arrived, %d of them twice, %d by the last process", len(got), twice, left.Traces)
	}
	t.Logf("%d processes were killed: %d arrived twice, %d by the last process", rounds, twice, left.Traces)
}

// killed runs a process for a while, and returns how many traces it had
// certainly written, and how many it had found torn.
func killed(t *testing.T, dir string, first int, after time.Duration) (written, torn int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run", "^TestHelperExporter$", "-test.v")
	cmd.Env = append(os.Environ(), "TAILSPAN_TEST_DIR="+dir, "TAILSPAN_TEST_FIRST="+strconv.Itoa(first))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	began := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		word, number, _ := strings.Cut(lines.Text(), " ")
		n, _ := strconv.Atoi(number)
		switch word {
		case "began":
			began, torn = true, n
			if first >= 0 {
				time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			}
		case "sent":
			if n > 0 {
				time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			}
		case "disk":
			written = n
		}
	}
	_ = cmd.Wait() // killed
	if !began {
		t.Fatal("the process did not begin")
	}
	return written, torn
}
