package flood

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// row is what the truth knows of a line of --print requests.
type row struct {
	TraceID   string      `json:"trace_id"`
	Latency   int64       `json:"latency_ns"`
	Cause     spans.Cause `json:"cause"`
	Root      spans.Cause `json:"root_cause"`
	Partition []struct {
		Topic string `json:"topic"`
	} `json:"partitions"`
}

// TestTruth: of a flood that is no more than a brook Tailspan prints the very
// requests that are slow, each with its cause: so the table is right.
func TestTruth(t *testing.T) {
	b, truth := made(t, small())
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "flood.pcapng")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := tailspan.Replay[row](t.Context(), bin, filepath.Join(dir, "log"), file, "requests", "--threshold", Quick.String())
	if err != nil {
		t.Fatal(err)
	}
	got, count := map[string]int{}, map[Key]Count{}
	for _, r := range rows {
		k := Key{r.Partition[0].Topic, r.Cause, r.Root}
		got[r.TraceID]++
		c := count[k]
		c.Requests++
		c.Latency += time.Duration(r.Latency)
		count[k] = c
	}
	for id, k := range truth.Traces {
		if got[id.String()] != 1 {
			t.Errorf("%v: its trace %s is there %d times", k, id, got[id.String()])
		}
	}
	for k, want := range truth.Slow {
		c := count[k]
		if c.Requests != want.Requests || (c.Latency-want.Latency).Abs() > time.Duration(c.Requests)*time.Microsecond {
			t.Errorf("%v: %+v, want %+v", k, c, want)
		}
	}
	if len(count) != len(truth.Slow) {
		t.Errorf("%d kinds of slow requests, want %d: %v", len(count), len(truth.Slow), ByCause(count, Count.plus))
	}
}
