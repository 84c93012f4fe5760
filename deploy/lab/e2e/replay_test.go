package e2e

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const replayFor = 6 * time.Second

// TestReplayPrintsTheSame compares what run prints while it records with what
// replay prints of the recording, line by line, sorted.
func TestReplayPrintsTheSame(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, scene1())
	s.load(t)
	for _, kind := range []string{"requests", "writes", "joined", "waits", "commits"} {
		t.Run(kind, func(t *testing.T) {
			file := filepath.Join(s.Run.Dir, kind+".pcapng")
			var live, again []string
			ts := s.watch(t, "run-"+kind, []string{trial.NoExport}, texts(&live), "--print", kind, "--record", file)
			time.Sleep(replayFor)
			trial.Stop(t, ts)
			r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay-"+kind+".log"), []string{trial.NoExport}, texts(&again),
				"replay", "--print", kind, "--format", "jsonl", file)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Finish(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustBeSame(t, live, again)
		})
	}
}

func texts(into *[]string) func([]byte) error {
	return func(b []byte) error { *into = append(*into, string(b)); return nil }
}

func mustBeSame(t *testing.T, live, again []string) {
	t.Helper()
	slices.Sort(live)
	slices.Sort(again)
	if len(live) == 0 {
		t.Error("run printed nothing")
	}
	onlyLive, onlyAgain := difference(live, again), difference(again, live)
	for _, line := range slices.Concat(head("- ", onlyLive), head("+ ", onlyAgain)) {
		t.Error(line)
	}
	t.Logf("%d lines live, %d replayed; %d and %d differ", len(live), len(again), len(onlyLive), len(onlyAgain))
}

// difference is what sorted a has more than sorted b.
func difference(a, b []string) (more []string) {
	for _, line := range a {
		for len(b) > 0 && b[0] < line {
			b = b[1:]
		}
		if len(b) > 0 && b[0] == line {
			b = b[1:]
			continue
		}
		more = append(more, line)
	}
	return more
}

func head(mark string, lines []string) (out []string) {
	for _, l := range lines[:min(5, len(lines))] {
		out = append(out, mark+l)
	}
	return out
}
