package e2e

import (
	"bufio"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

const (
	crowdFor   = 15 * time.Second
	crowd      = 10 // producers to one partition, whose lock eight handlers want
	leastCrowd = 4  // requests that one write must have held up
	leastPause = 1_000_000
	// noOperation is what HotSpot's log calls a safepoint that no operation of the VM
	// asked for: there is no probe for these.
	noOperation = "Cleanup"
)

// TestCrowd: many producers to one partition of a broker whose disk stalls and
// whose JVM is told to collect garbage. One write is found behind many requests,
// and the stops in the traces are those of HotSpot's own log.
func TestCrowd(t *testing.T) {
	trial.NeedRoot(t)
	c := scene1()
	c.Producers, c.Partitions, c.Load.PerSecond = crowd, 1, 400
	dir := t.TempDir()
	log := filepath.Join(dir, "safepoints.log")
	c.JVM = append(c.JVM, "-Xlog:safepoint=info:file="+log+":timenanos")
	s := set(t, c)
	s.load(t)
	file := filepath.Join(s.Run.Dir, "crowd.pcapng")
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, nil, "--record", file)
	begin := monotonic(t)
	for end := time.Now().Add(crowdFor); time.Now().Before(end); time.Sleep(2 * time.Second) {
		if out, err := exec.Command("jcmd", strconv.Itoa(s.Broker.PID()), "GC.run").CombinedOutput(); err != nil {
			t.Fatalf("GC.run: %v: %s", err, out)
		}
	}
	end := monotonic(t)
	trial.Stop(t, ts)
	offset := realtime(t) - monotonic(t)
	if most := s.checkHolders(t, file); most < leastCrowd {
		t.Errorf("no write held up more than %d requests", most)
	}
	stops := safepoints(t, log)
	stops = slices.DeleteFunc(stops, func(p stop) bool {
		return p.name == noOperation || p.start < begin || p.end > end || p.end-p.start < leastPause
	})
	for i := range stops {
		stops[i].start += offset
		stops[i].end += offset
	}
	s.checkStops(t, file, stops)
}

// stop is a time in which all Java threads stood still.
type stop struct {
	name       string
	start, end int64
}

// safepointLine is what -Xlog:safepoint says at the end of one, with the instant
// of CLOCK_MONOTONIC.
var safepointLine = regexp.MustCompile(`^\[(\d+)ns\] Safepoint "(\w+)",.* At safepoint: +(\d+) ns`)

func safepoints(t *testing.T, path string) (all []stop) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if m := safepointLine.FindStringSubmatch(in.Text()); m != nil {
			at, _ := strconv.ParseInt(m[1], 10, 64)
			ns, _ := strconv.ParseInt(m[3], 10, 64)
			all = append(all, stop{m[2], at - ns, at})
		}
	}
	return all
}

// checkStops holds the stops of a log to those of traces: each request that was in
// work for all of one has it, as that operation, from its beginning. Its end in the
// log is later than it was: HotSpot reads the clock after it has woken all threads,
// which on few CPUs may well run first.
func (s *stage) checkStops(t *testing.T, file string, stops []stop) {
	late, told, missing, collections := map[stop]int64{}, 0, 0, 0
	take := func(line []byte) error {
		tr, err := tailspan.ParseTrace(line)
		if err != nil || tr.Root().Kind != spans.Server {
			return err
		}
		for i := range tr.Spans {
			if tr.Spans[i].Name == spans.NameGC {
				collections++
			}
		}
		for _, p := range stops {
			if tr.Root().Start > p.start || tr.Root().End < p.end {
				continue
			}
			i := slices.IndexFunc(tr.Spans, func(x spans.Span) bool {
				return x.Name == spans.NameVMOperation && x.Start < p.end && x.End > p.start && text(x.Attributes, spans.KeyVMOperation) == p.name
			})
			if i < 0 {
				if missing++; missing < 5 {
					t.Errorf("%s has no %s of %d ns", tr.ID, p.name, p.end-p.start)
				}
				continue
			}
			told++
			late[p] = tr.Spans[i].Start - p.start
			if tr.Spans[i].End > p.end+leastPause {
				t.Errorf("%s: %s ends %d ns after it did", tr.ID, p.name, tr.Spans[i].End-p.end)
			}
		}
		return nil
	}
	ts, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay-stops.log"), []string{trial.NoExport}, take, "replay", "--print", "traces", "--format", "jsonl", file)
	if err != nil {
		t.Fatal(err)
	}
	if err := ts.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	off := slices.Sorted(maps.Values(late))
	if len(off) == 0 || collections == 0 {
		t.Fatalf("%d stops in the log; %d in requests, %d collections", len(stops), len(off), collections)
	}
	t.Logf("%d stops of a millisecond and more in HotSpot's log; %d had a request in work, %d times told, %d not; they begin %v after it (median), %v at most; %d collections",
		len(stops), len(off), told, missing, time.Duration(off[len(off)/2]), time.Duration(off[len(off)-1]), collections)
	if d := off[len(off)/2]; max(d, -d) >= leastPause {
		t.Error("half of them do not begin as in the log")
	}
}
