package sidecar

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/spans"
	"github.com/tailspan/tailspan/spans/sample"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// demoRecording was made by the demo: Kafka 4.1.1 on OpenJDK 17, Linux 6.18,
// ext4 on a disk that holds all I/O now and then. It proves the joins: writes
// that wait in ext4_dirty_inode for a commit, and handlers that wait for the
// log's lock behind them.
const demoRecording = "../deploy/lab/testdata/demo.pcapng.gz"

// unpack gives the path of the demo's recording, which git keeps compressed.
func unpack(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "demo.pcapng")
	unpackTo(t, demoRecording, path)
	return path
}

func unpackTo(t testing.TB, compressed, path string) {
	t.Helper()
	in, err := os.Open(compressed)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// replayed is what a replay prints, and what became of it.
func replayed(t testing.TB, path string, c config.Config) (string, *Sidecar) {
	t.Helper()
	var b bytes.Buffer
	c.Format = cmp.Or(c.Format, "jsonl")
	s, err := New(Options{Config: c, Stdout: &b, Version: "test", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	s.out.sampler = sample.New(sample.Options{SLO: c.Objective(), Keep: remembered, Export: func(*spans.Trace) bool { return true }})
	if err := s.Replay(context.Background(), path); err != nil {
		t.Fatal(err)
	}
	return b.String(), s
}

// jsonSpan is a span as --format jsonl prints it.
type jsonSpan struct {
	ID         string         `json:"span_id"`
	Parent     *string        `json:"parent_id"`
	Name       string         `json:"name"`
	Kind       string         `json:"kind"`
	Start      int64          `json:"start_ns"`
	End        int64          `json:"end_ns"`
	Attributes map[string]any `json:"attributes"`
	Links      []struct {
		Trace string `json:"trace_id"`
		Span  string `json:"span_id"`
	} `json:"links"`
}

type jsonTrace struct {
	ID    string     `json:"trace_id"`
	Spans []jsonSpan `json:"spans"`
}

// TestGoldenTraces holds every trace over 300 ms of the demo, in a form that
// reads well in a diff: ids numbered, times relative to the root.
func TestGoldenTraces(t *testing.T) {
	out, _ := replayed(t, unpack(t), config.Config{Print: "traces", Threshold: 300 * time.Millisecond})
	var traces []jsonTrace
	for sc := bufio.NewScanner(strings.NewReader(out)); sc.Scan(); {
		var tr jsonTrace
		d := json.NewDecoder(bytes.NewReader(sc.Bytes()))
		d.UseNumber()
		if err := d.Decode(&tr); err != nil {
			t.Fatal(err)
		}
		traces = append(traces, tr)
	}
	slices.SortFunc(traces, func(a, b jsonTrace) int {
		return cmp.Or(cmp.Compare(a.Spans[0].Start, b.Spans[0].Start), cmp.Compare(a.ID, b.ID))
	})
	golden(t, "testdata/demo-traces.txt", canonical(traces))
}

// golden compares with a file, or rewrites it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at the diff after -update\n%s", path, firstDifference(got, string(want)))
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("line %d\n got %s\nwant %s", i+1, g[i], w[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(g), len(w))
}

func canonical(traces []jsonTrace) string {
	var b strings.Builder
	names := map[string]string{}
	for i, tr := range traces {
		names[tr.ID] = fmt.Sprintf("T%d", i+1)
	}
	for _, tr := range traces {
		fmt.Fprintf(&b, "%s\n", names[tr.ID])
		depth, origin := map[string]int{}, tr.Spans[0].Start
		for _, s := range tr.Spans {
			if s.Parent != nil {
				depth[s.ID] = depth[*s.Parent] + 1
			}
			fmt.Fprintf(&b, "%s%s %s..%s%s%s\n", strings.Repeat("  ", depth[s.ID]+1), s.Name,
				time.Duration(s.Start-origin), time.Duration(s.End-origin), attributes(s.Attributes), links(s, names))
		}
	}
	return b.String()
}

func attributes(m map[string]any) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, " %s=%v", k, m[k])
	}
	return b.String()
}

func links(s jsonSpan, names map[string]string) string {
	var b strings.Builder
	for _, l := range s.Links {
		fmt.Fprintf(&b, " -> %s", cmp.Or(names[l.Trace], "a trace under 300ms"))
	}
	return b.String()
}

// Every request of the demo's recording has its write, exactly.
func TestDemoJoins(t *testing.T) {
	_, s := replayed(t, unpack(t), config.Config{Print: "none"})
	st := s.assembler.Stats()
	if st.Requests == 0 || st.Pending != 0 || st.Unjoined+st.Inferred != 0 || st.Exact == 0 {
		t.Errorf("%+v", st)
	}
	sm := s.out.sampler.Stats()
	if sm.All.Seen != sm.All.Kept()+sm.All.Dropped() || sm.All.Pending != 0 {
		t.Errorf("the sampler's account does not add up: %+v", sm)
	}
}

// BenchmarkReplay replays the demo's whole recording.
func BenchmarkReplay(b *testing.B) {
	path := unpack(b)
	var requests uint64
	b.ReportAllocs()
	for b.Loop() {
		_, s := replayed(b, path, config.Config{Print: "none", SLO: 65 * time.Millisecond})
		requests += s.assembler.Stats().Requests
	}
	b.ReportMetric(float64(requests)/b.Elapsed().Seconds(), "requests/s")
}
