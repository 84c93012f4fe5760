package govern

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/contend"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

const (
	limit    = 20000 // the product's own
	loadRate = 36000 // contended enters a second that are asked for
	soon     = time.Second
	calm     = 5 * time.Second
)

// What it logs.
const (
	tracing  = "tracing broker"
	takenOff = "the probes are taken off"
	areBack  = "the monitor probes are back"
)

// TestGovernor runs `tailspan record` on a JVM whose threads begin to wait too
// often, go on with it, and calm down: the probes are gone within a second, come
// back for a look that is as short, and come back for good.
func TestGovernor(t *testing.T) {
	machine(t, func(t *testing.T, j jdk.JDK) {
		built := trial.Begin(t) // which empties the directory
		s := start(t, j)
		load := contend.Options{Mode: contend.Even, Threads: 72, Locks: 36, Rate: loadRate}
		if err := s.Run(load); err != nil {
			t.Fatal(err)
		}
		most := limit
		busy := s.rate(t, 2*time.Second) // by the JVM's own count
		if busy < 1.5*limit {
			most = int(busy / 1.5)
			t.Logf("this machine gets to %.0f contended enters a second: the limit is set to %d", busy, most)
		}
		s.at100th(t)
		file := filepath.Join(s.dir, "run.pcapng")
		ts, err := tailspan.Start(built.Bin, filepath.Join(s.dir, "tailspan.log"), []string{trial.NoExport}, nil,
			"record", "-o", file, "--pid", fmt.Sprint(s.PID()), fmt.Sprintf("--max-waits-rate=%d", most))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ts.Process.Stop(unix.SIGKILL, time.Second) })
		said := func(what string, times int, within time.Duration) {
			t.Helper()
			err := ts.Until(t.Context(), within, func() bool { out, _ := ts.Output(); return strings.Count(out, what) >= times })
			if err != nil {
				t.Fatalf("%q: %v", what, err)
			}
		}
		said(tracing, 1, 20*time.Second)
		time.Sleep(calm)
		if n := s.trapped(t, s.waits); n != len(s.waits) {
			t.Fatalf("breakpoints at %d of %d sites", n, len(s.waits))
		}
		rose := monotonic(t)
		if err := s.Rate(loadRate); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); s.trapped(t, s.waits) > 0; time.Sleep(time.Millisecond) {
			if time.Since(began) > 2*soon {
				t.Fatal("the probes are still on")
			}
		}
		gone := monotonic(t)
		said(takenOff, 2, 20*time.Second) // after a look
		if n := s.trapped(t, s.waits); n != 0 {
			t.Errorf("taken off, and breakpoints at %d sites", n)
		}
		s.at100th(t)
		said(areBack, 2, 40*time.Second)
		time.Sleep(calm)
		trial.Stop(t, ts)

		took := time.Duration(gone - rose)
		t.Logf("%.0f contended enters a second; all probes are gone %v after the rise", busy, took)
		if took > soon {
			t.Errorf("the probes are gone after %v", took)
		}
		held(t, file, rose)
		whole(t, built.Bin, s.dir, file)
		if _, err := s.End(); err != nil {
			t.Error(err)
		}
		s.unharmed(t)
	})
}

// at100th slows the load down to a hundredth.
func (s *subject) at100th(t *testing.T) {
	t.Helper()
	if err := s.Rate(loadRate / 100); err != nil {
		t.Fatal(err)
	}
}

func monotonic(t *testing.T) event.Time {
	t.Helper()
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		t.Fatal(err)
	}
	return event.Time(ts.Nano())
}

// held holds a recording to what happened: off, a look, on.
func held(t *testing.T, file string, rose event.Time) {
	t.Helper()
	f, err := capture.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var h heard
	if err := recording.Play(f, &h); err != nil {
		t.Fatal(err)
	}
	const turns = 4
	if len(h.turns) != turns {
		t.Fatalf("%d turns: %+v", len(h.turns), h.turns)
	}
	var text strings.Builder
	for i, w := range h.turns {
		if w.On != (i%2 == 1) {
			t.Errorf("turn %d: %+v", i, w)
		}
		fmt.Fprintf(&text, " %v %t", time.Duration(w.Time-rose).Round(time.Millisecond), w.On)
	}
	t.Logf("watched, since the rise:%s; the last record before it was off came after %v", text.String(), time.Duration(h.lastIn[0]-rose).Round(time.Millisecond))
	if d := time.Duration(h.turns[2].Time - h.turns[1].Time); d > soon {
		t.Errorf("a look of %v", d)
	}
	for i, n := range h.enters[:turns+1] {
		if watched := i%2 == 0; watched && n == 0 {
			t.Errorf("nothing was seen before turn %d", i)
		}
	}
	if d := time.Duration(h.lastIn[0] - rose); d > soon {
		t.Errorf("the probes hit for %v after the rise", d)
	}
}

// heard is what a recording says of the governor.
type heard struct {
	turns  []recording.Watched
	enters [8]int        // between one turn and the next
	lastIn [8]event.Time // when the last was, likewise
}

func (h *heard) Packet(capture.Packet) error { return nil }

func (h *heard) Fact(f recording.Fact) error {
	if f.Watched != nil && len(h.turns)+1 < len(h.enters) {
		h.turns = append(h.turns, *f.Watched)
	}
	return nil
}

// Probe: records lie in the file a moment after the facts of their time.
func (h *heard) Probe(raw []byte) error {
	var r bpf.Record
	if err := bpf.Decode(raw, &r); err != nil {
		return err
	}
	if r.Kind != bpf.KindMonitorEnter {
		return nil
	}
	i := 0
	for i < len(h.turns) && event.Time(r.Time) >= h.turns[i].Time {
		i++
	}
	switch at := event.Time(r.Time); {
	case i%2 == 0:
	case at-h.turns[i-1].Time < event.Time(soon): // it was told, and they were not gone yet
		i--
	default: // they are back, and it was not told yet
		i++
	}
	h.enters[i]++
	h.lastIn[i] = max(h.lastIn[i], event.Time(r.Time))
	return nil
}

// whole: no wait of a replay lasts from one time of watching to another.
func whole(t *testing.T, bin, dir, file string) {
	t.Helper()
	rows, err := tailspan.Replay[assemble.WaitRow](t.Context(), bin, filepath.Join(dir, "replay.log"), file, "waits")
	if err != nil {
		t.Fatal(err)
	}
	var longest time.Duration
	for _, r := range rows {
		longest = max(longest, time.Duration(r.Latency))
	}
	t.Logf("%d waits, of %v at most", len(rows), longest)
	if len(rows) == 0 || longest > 5*time.Second {
		t.Error("waits are missing, or torn")
	}
}
