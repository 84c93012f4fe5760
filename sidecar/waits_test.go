package sidecar

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/recording"
)

func rows[T any](t *testing.T, text string) (all []T) {
	t.Helper()
	in := bufio.NewScanner(strings.NewReader(text))
	for in.Buffer(nil, 1<<24); in.Scan(); {
		var row T
		if err := json.Unmarshal(in.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
	return all
}

// The waits of the demo, taken out of its recording and put beside it as JFR
// would have them, are the same waits of the same requests, for the same
// reasons.
func TestWaitsOfJFR(t *testing.T) {
	path := unpack(t)
	stripped, file := split(t, path, true, late(0))
	none, _ := replayed(t, stripped, config.Config{Print: "waits"})
	if none != "" {
		t.Errorf("waits in the stripped recording: %s", none)
	}
	sorted := func(path, file string) []assemble.WaitRow {
		text, _ := replayed(t, path, config.Config{Print: "waits", Waits: file})
		all := rows[assemble.WaitRow](t, text)
		slices.SortFunc(all, func(a, b assemble.WaitRow) int {
			return cmp.Or(cmp.Compare(a.TID, b.TID), cmp.Compare(a.Start, b.Start))
		})
		return all
	}
	want, got := sorted(path, ""), sorted(stripped, file)
	if len(want) == 0 || len(got) != len(want) {
		t.Fatalf("%d waits, want %d", len(got), len(want))
	}
	long, agree := 0, 0
	for i := range want {
		w, g := &want[i], &got[i]
		const near = int64(10 * time.Microsecond) // the clock was measured anew in between
		if g.TID != w.TID || g.Monitor != w.Monitor || g.Class != w.Class || abs(g.Start-w.Start) > near || abs(g.End-w.End) > near {
			t.Fatalf("wait %d: got %+v, want %+v", i, *g, *w)
		}
		if len(g.Thread) > commBytes && !strings.HasPrefix(g.Thread, w.Thread) {
			t.Fatalf("thread %q, want %q in full", g.Thread, w.Thread)
		}
		if w.Latency > int64(20*time.Millisecond) {
			long++
			if w.HolderTID != nil && g.HolderTID != nil && *g.HolderTID == *w.HolderTID {
				agree++
			} else {
				t.Logf("wait %d: holders %+v, want %+v", i, g.Holders, w.Holders)
			}
		}
	}
	if long == 0 || agree < long {
		t.Errorf("of %d waits over 20 ms, %d have the same holder", long, agree)
	}
	causes := func(path, file string) map[string]string {
		text, _ := replayed(t, path, config.Config{Print: "requests", Waits: file, Threshold: 65 * time.Millisecond})
		m := map[string]string{}
		for _, r := range rows[assemble.RequestRow](t, text) {
			m[r.TraceID] = r.Cause + " because of " + r.RootCause
		}
		return m
	}
	before, after := causes(path, ""), causes(stripped, file)
	waited := 0
	for id, cause := range before {
		if strings.HasPrefix(cause, "monitor.wait") {
			waited++
		}
		if after[id] != cause {
			t.Errorf("trace %s: %s, want %s", id, after[id], cause)
		}
	}
	if waited == 0 {
		t.Error("no request waited for a monitor")
	}
	t.Logf("%d waits, %d over 20 ms; %d slow requests, %d of them for a monitor", len(want), long, len(before), waited)
}

// late is a clock that is late.
func late(by time.Duration) func(time.Time) time.Time {
	return func(t time.Time) time.Time { return t.Add(-by) }
}

// slow is one that loses millionths of the time since the first that it was asked
// for.
func slow(millionths int64) func(time.Time) time.Time {
	var first time.Time
	return func(t time.Time) time.Time {
		if first.IsZero() {
			first = t
		}
		return t.Add(-t.Sub(first) * time.Duration(millionths) / 1e6)
	}
}

// A clock that is not the recording's is put right by the threads' sleeps: the
// waits are where they were. Without sleeps it stays as it is, and shows: threads
// seem to wait and write at once.
func TestWaitsOfAnotherClock(t *testing.T) {
	type clock = func(time.Time) time.Time
	demo := unpack(t)
	var want []jfrWait
	for _, x := range []struct {
		name  string
		clock clock
	}{
		{"exact", late(0)}, {"late", late(200 * time.Microsecond)}, {"early", late(-time.Second)}, {"slow", slow(2350)}, {"fast", slow(-900)},
	} {
		for _, sleeps := range []bool{true, false} {
			stripped, file := split(t, demo, sleeps, x.clock)
			_, s := replayed(t, stripped, config.Config{Print: "none", Waits: file})
			astray := s.lost()["waits of JFR: at a time when their thread wrote"]
			w := s.waits
			t.Logf("%s, sleeps %v: %d of %d waits astray, moved %v by %v to %v", x.name, sleeps, astray, len(w.all), w.aligned.moved, w.aligned.Least, w.aligned.Most)
			if want == nil {
				want = w.all
			}
			exact := x.name == "exact"
			if w.aligned.moved != (sleeps && !exact) || (astray > 0) != (!sleeps && !exact) {
				t.Error("that is wrong")
			}
			if !sleeps {
				continue
			}
			if len(w.all) < len(want)-1 || len(w.all) > len(want)+1 { // one may lie across the end
				t.Fatalf("want %d waits", len(want))
			}
			for i := range min(len(want), len(w.all)) {
				const near = int64(20 * time.Microsecond)
				if g, w := w.all[i], want[i]; abs(g.start-w.start) > near || abs(g.end-w.end) > near {
					t.Fatalf("wait %d is %d..%d, want %d..%d", i, g.start, g.end, w.start, w.end)
				}
			}
		}
	}
}

func abs(n int64) int64 { return max(n, -n) }

// What cannot be joined is refused, in a line that says what to do.
func TestWaitsRefused(t *testing.T) {
	demo := unpack(t)
	stripped, file := split(t, demo, true, late(0))
	path := func(name, text string) string {
		p := filepath.Join(t.TempDir(), name)
		write(t, p, text)
		return p
	}
	var two strings.Builder
	w := recording.NewWriter(&two, recording.Header{})
	for _, pid := range []int32{8, 7} {
		w.Fact(recording.Fact{Broker: &recording.Broker{PID: pid}})
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	several := path("two.pcapng", two.String())
	for _, x := range []struct {
		name, path, waits string
		pid               int
		says              string
	}{
		{"waits twice", demo, file, 0, "which the probes saw; replay it without --waits"},
		{"plain capture", path("plain.pcap", string(plainCapture())), file, 0, "is a plain capture: there are no writes in it"},
		{"two brokers", several, file, 0, "say with --pid whose they are, 7 or 8"},
		{"another broker", several, file, 9, "there is no broker 9 in this recording, but 7 or 8"},
		{"no file", stripped, file + "x", 0, "no such file"},
		{"a JFR file", stripped, path("w", "FLR\x00"), 0, "jfr print --json"},
		{"a broken file", stripped, path("w", "{\n{"), 0, "line 2"},
	} {
		s, err := New(Options{Config: config.Config{Waits: x.waits, PID: x.pid, Format: "jsonl"}, Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		err = s.Replay(context.Background(), x.path)
		if err == nil || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), "--waits") {
			t.Errorf("%s: %v; should say %q", x.name, err, x.says)
		}
	}
	s, err := New(Options{Config: config.Config{Waits: file, PID: 8, Format: "jsonl"}, Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Replay(context.Background(), several); err != nil || s.waits.pid != 8 {
		t.Errorf("--pid 8: %v", err)
	}
}
