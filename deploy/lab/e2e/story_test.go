package e2e

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/story"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

const storyFor = 40 * time.Second

// TestStory runs the demo's scene for a while and asks Jaeger for what the
// blog post tells; then it holds every joined row to the segments.
func TestStory(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, scene1())
	j := trial.Answering(t, trial.Jaeger(t), s.Dir)
	s.load(t)
	var joined []assemble.JoinedRow
	file := filepath.Join(s.Run.Dir, "story.pcapng")
	ts := s.watch(t, "tailspan", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + j.Endpoint()},
		tailspan.Into(&joined), "--slo", "65ms", "--print", "joined", "--record", file)
	time.Sleep(storyFor)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	t.Run("jaeger", func(t *testing.T) { checkJaeger(t, j.Client) })
	t.Run("segments", func(t *testing.T) { s.checkSegments(t, joined) })
	t.Run("exact", func(t *testing.T) { s.checkExact(t, file, joined) })
	var most int64
	t.Run("holders", func(t *testing.T) { most = s.checkHolders(t, file) })
	t.Run("blocked", func(t *testing.T) { checkQuery(t, j.Client, most) })
}

// checkJaeger asks for all traces: each whole in itself, its links leading
// somewhere, and both stories among them.
func checkJaeger(t *testing.T, c jaeger.Client) {
	time.Sleep(2 * time.Second) // Jaeger's own batches
	traces, err := c.Find(t.Context(), jaeger.Query{Service: "kafka", Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	byID := map[spans.TraceID]*spans.Trace{}
	var wrong []error
	for i := range traces {
		wrong = append(wrong, append(traces[i].Check(), c.CheckLinks(t.Context(), &traces[i])...)...)
		tr, err := traces[i].Convert()
		if err != nil {
			t.Error(err)
			continue
		}
		byID[tr.ID] = tr
	}
	if len(wrong) > 0 {
		t.Errorf("%d things wrong, the first: %v", len(wrong), errors.Join(wrong[:min(5, len(wrong))]...))
	}
	direct, cascade := 0, 0
	resolve := func(id spans.TraceID) *spans.Trace { return byID[id] }
	for _, tr := range byID {
		if story.FindDirect(tr) != nil {
			direct++
		} else if story.FindCascade(tr, resolve) != nil {
			cascade++
		}
	}
	t.Logf("%d traces; %d requests waited for a commit, %d for the lock of such a one", len(traces), direct, cascade)
	if direct == 0 {
		t.Error("no request over 300 ms that waited for a commit")
	}
	if cascade == 0 {
		t.Error("no request over 300 ms that waited for the lock of such a one")
	}
}

// mostUnderWay is what three producers, with five requests of two partitions in
// flight each, can have under way.
const mostUnderWay = 3 * 5 * 2

// checkSegments: at the write's offset in the write's file stands the batch
// with the response's base offset and the request's CRC.
func (s *stage) checkSegments(t *testing.T, joined []assemble.JoinedRow) {
	segments, err := s.Kafka.DumpLogDir(t.Context(), s.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	type place struct {
		file   string
		offset int64
	}
	type batch struct {
		base, size int64
		crc        uint32
	}
	at := map[place]batch{}
	for file, batches := range segments {
		for _, b := range batches {
			at[place{file, b.Position}] = batch{b.BaseOffset, b.Size, b.CRC}
		}
	}
	wrong, underWay := 0, 0
	for _, row := range joined {
		want, ok := at[place{row.File, row.Offset}]
		base := want.base // of a request that was under way at the end it is not known
		if row.End == nil {
			underWay++
		} else if base = -1; row.BaseOffset != nil {
			base = *row.BaseOffset
		}
		if !ok || base != want.base || row.CRC != want.crc || row.Bytes != want.size {
			if wrong++; wrong <= 10 {
				t.Errorf("joined %+v, but the segment has %+v (%v)", row, want, ok)
			}
		}
	}
	if t.Logf("%d rows checked, %d wrong, %d under way at the end", len(joined), wrong, underWay); len(joined) == 0 {
		t.Error("nothing was joined")
	}
	if underWay > mostUnderWay {
		t.Errorf("%d without a response", underWay)
	}
}

// checkExact counts the requests that were answered, and those of them with
// all partitions joined as exact.
func (s *stage) checkExact(t *testing.T, file string, joined []assemble.JoinedRow) {
	requests, err := tailspan.Replay[assemble.RequestRow](t.Context(), s.Bin, filepath.Join(s.Dir, "replay.log"), file, "requests")
	if err != nil {
		t.Fatal(err)
	}
	type request struct {
		client      string
		correlation int32
		arrival     int64
	}
	exact := map[request]int{}
	for _, row := range joined {
		if row.Join == "exact" {
			exact[request{row.Client, row.CorrelationID, row.Arrival}]++
		}
	}
	all, whole := 0, 0
	for _, r := range requests {
		if r.End == nil {
			continue // still under way at the end
		}
		all++
		if exact[request{r.Client, r.CorrelationID, r.Arrival}] == len(r.Partitions) {
			whole++
		}
	}
	t.Logf("%d of %d requests joined exact", whole, all)
	if all == 0 || float64(whole) < 0.999*float64(all) {
		t.Errorf("%d of %d requests joined exact, want 99.9 %%", whole, all)
	}
}
