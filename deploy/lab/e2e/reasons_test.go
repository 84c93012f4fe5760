package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

const (
	reasonsFor = 25 * time.Second
	longWrite  = 100 * time.Millisecond
	explained  = 0.95 // of the time of each long write
	mostOnCPU  = 0.5  // of it: a batch is copied in microseconds, so more is a stay that was not seen
)

// TestReasons: in the demo's stalls, at least 95 % of the time of every write
// over 100 ms is told: on its CPU, waiting for one, or asleep for a reason.
func TestReasons(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, scene1())
	s.load(t)
	file := filepath.Join(s.Run.Dir, "reasons.pcapng")
	var live []string
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, texts(&live), "--print", "stacks", "--record", file)
	time.Sleep(reasonsFor)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	t.Run("replayed", func(t *testing.T) { mustBeSame(t, live, replay(t, s, file, "stacks", "0")) })
	t.Run("explained", func(t *testing.T) { checkExplained(t, s, file) })
	t.Run("everywhere", func(t *testing.T) { checkEverywhere(t, s, file) })
	t.Run("folded", func(t *testing.T) { checkFolded(t, s, file) })
}

// replay is the lines that a replay of a recording prints.
func replay(t *testing.T, s *stage, file, kind, threshold string) (lines []string) {
	t.Helper()
	r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay-"+kind+".log"), []string{trial.NoExport}, texts(&lines),
		"replay", "--print", kind, "--format", "jsonl", "--threshold", threshold, file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return lines
}

// told is how the time of one write was explained.
type told struct {
	whole, on, sleep, runQueue, known int64
	unknown                           []string // stacks, or why there is none
	reason                            string
}

func (w *told) share() float64 { return float64(w.on+w.runQueue+w.known) / float64(w.whole) }

func checkExplained(t *testing.T, s *stage, file string) {
	type place struct {
		file   string
		offset int64
	}
	seen := map[place]bool{} // a write stands in one trace only
	var all []told
	reasons, onCPU := map[string]int64{}, 0.0
	for _, line := range replay(t, s, file, "traces", longWrite.String()) {
		tr, err := tailspan.ParseTrace([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		for i := range tr.Spans {
			w := &tr.Spans[i]
			if w.Name != spans.NameWrite || w.End-w.Start < int64(longWrite) {
				continue
			}
			at := place{attr(w, spans.KeyFile).Emit(), integer(w, spans.KeyOffset)}
			if seen[at] {
				continue
			}
			seen[at] = true
			x := explain(tr, w)
			if x.on+x.sleep+x.runQueue != x.whole {
				t.Errorf("a write of %d ns: %d on its CPU, %d asleep, %d without a CPU", x.whole, x.on, x.sleep, x.runQueue)
			}
			onCPU = max(onCPU, float64(x.on)/float64(x.whole))
			reasons[x.reason]++
			all = append(all, x)
		}
	}
	for _, line := range replay(t, s, file, "joined", longWrite.String()) {
		var j assemble.JoinedRow
		if err := json.Unmarshal([]byte(line), &j); err != nil {
			t.Fatal(err)
		}
		if j.WriteEnd-j.WriteStart >= int64(longWrite) && !seen[place{j.File, j.Offset}] {
			t.Errorf("a long write is in no trace: %+v", j)
		}
	}
	t.Logf("%d long writes, %d of them of requests that were seen", len(replay(t, s, file, "writes", longWrite.String())), len(all))
	slices.SortFunc(all, func(a, b told) int { return int(1e6 * (a.share() - b.share())) })
	unknown := map[string]int{}
	poor := 0
	for i := range all {
		if all[i].share() < explained {
			poor++
		}
		for _, u := range all[i].unknown {
			unknown[u]++
		}
	}
	if len(all) == 0 {
		t.Fatal("no write over 100 ms: the stalls did not come")
	}
	t.Logf("%d writes over %s; of their time is explained: least %.4f, 10th percentile %.4f, median %.4f",
		len(all), longWrite, all[0].share(), all[len(all)/10].share(), all[len(all)/2].share())
	if t.Logf("on its CPU was a thread for at most %.4f", onCPU); onCPU > mostOnCPU {
		t.Errorf("on its CPU for %.4f of a long write", onCPU)
	}
	for _, r := range slices.Sorted(maps.Keys(reasons)) {
		t.Logf("%4d for the most part: %s", reasons[r], r)
	}
	for _, u := range slices.Sorted(maps.Keys(unknown)) {
		t.Logf("unknown, %d times: %s", unknown[u], u)
	}
	if poor > 0 {
		t.Errorf("%d of %d writes are explained by less than %.2f: the least is %+v", poor, len(all), explained, all[0])
	}
}

// explain adds up the waits of a write whose reason is known.
func explain(tr *spans.Trace, w *spans.Span) told {
	x := told{whole: w.End - w.Start, on: integer(w, spans.KeyOnCPU), sleep: integer(w, spans.KeySleep), runQueue: integer(w, spans.KeyRunQueue)}
	x.reason = attr(w, spans.KeyReason).Emit()
	inside := map[spans.SpanID]bool{w.ID: true}
	for i := range tr.Spans {
		k := &tr.Spans[i]
		if !inside[k.Parent] {
			continue
		}
		inside[k.ID] = true
		if k.Name != spans.NameKernelWait {
			continue
		}
		if attr(k, spans.KeyReason).Emit() != stack.Unknown {
			x.known += integer(k, spans.KeySleep)
			continue
		}
		x.unknown = append(x.unknown, fmt.Sprintf("%s of %q", time.Duration(k.End-k.Start), attr(k, spans.KeyStack).Emit()))
	}
	return x
}

func attr(s *spans.Span, key attribute.Key) (v attribute.Value) {
	for _, kv := range s.Attributes {
		if kv.Key == key {
			return kv.Value
		}
	}
	return v
}

func integer(s *spans.Span, key attribute.Key) int64 { return attr(s, key).AsInt64() }

// checkEverywhere: of the long writes of all topics, the broker's own among
// them, as much is explained in sum.
func checkEverywhere(t *testing.T, s *stage, file string) {
	all, unknown := map[string]int64{}, map[string]int64{}
	for _, line := range replay(t, s, file, "stacks", longWrite.String()) {
		var r struct {
			Topic, Reason string
			NS            int64
			Stack         []string
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		all[r.Topic] += r.NS
		if r.Reason == stack.Unknown {
			unknown[r.Topic] += r.NS
			t.Logf("unknown in %s: %s at %v", r.Topic, time.Duration(r.NS), r.Stack)
		}
	}
	for topic, ns := range all {
		share := 1 - float64(unknown[topic])/float64(ns)
		t.Logf("%s: %.4f of %s is explained", topic, share, time.Duration(ns))
		if share < explained {
			t.Errorf("%s: only %.4f is explained", topic, share)
		}
	}
}

// checkFolded: the folded stacks of the long writes are lines of frames and a
// number, and come to the time of the reasons.
func checkFolded(t *testing.T, s *stage, file string) {
	var lines []string
	r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay-folded.log"), []string{trial.NoExport}, texts(&lines),
		"replay", "--print", "stacks", "--threshold", longWrite.String(), file)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, l := range lines {
		var us int64
		i := strings.LastIndexByte(l, ' ')
		if _, err := fmt.Sscanf(l[i+1:], "%d", &us); err != nil || strings.Count(l[:i], ";") == 0 {
			t.Errorf("%q is no folded stack", l)
		}
		sum += us
	}
	if sum == 0 {
		t.Error("nothing is folded")
	}
	t.Logf("%d stacks, %s; the largest: %s", len(lines), time.Duration(sum)*time.Microsecond, lines[:min(3, len(lines))])
}
