package observe

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

const (
	objective   = 65 * time.Millisecond // deploy/collector's threshold_ms
	decidesIn   = 20 * time.Second      // much more than its decision_wait and its batch
	mostOfRest  = 0.10                  // its sampling_percentage is 5, and some have a cause of interest
	leastOfRest = 0.02

	unknownCause = "unknown" // its default for tailspan.root_cause
)

// TestCollector replays the demo's recording, every trace of it, into a real
// Collector with a Jaeger behind it: what is slow and what is linked to comes
// out whole, and little of the rest.
func TestCollector(t *testing.T) {
	bin := trial.Jaeger(t)
	s := trial.Begin(t)
	behind := trial.Answering(t, bin, s.Dir)
	f := collect(t, bin, s.Dir, strings.TrimPrefix(behind.Endpoint(), "http://"))
	in := replayed(t, s, f)
	out := settled(t, behind.Client)
	t.Run("whole", func(t *testing.T) { in.mustBeWhole(t, out) })
	t.Run("slow", func(t *testing.T) { in.mustKeepSlow(t, behind.Client, out) })
	t.Run("linked", func(t *testing.T) { in.mustKeepLinked(t, out) })
	t.Run("rest", func(t *testing.T) { in.mustDropRest(t, out) })
	t.Run("spanmetrics", func(t *testing.T) { in.mustBeMeasured(t, f) })
}

// TestCollectorBehindSampling: a Tailspan that samples already, with a lower
// objective, a share of the rest, and what these link to. Of that, the Collector
// keeps everything that links may lead to.
func TestCollectorBehindSampling(t *testing.T) {
	bin := trial.Jaeger(t)
	s := trial.Begin(t)
	direct := trial.Answering(t, bin, filepath.Join(s.Dir, "direct"))
	behind := trial.Answering(t, bin, filepath.Join(s.Dir, "behind"))
	f := collect(t, bin, s.Dir, strings.TrimPrefix(behind.Endpoint(), "http://"))
	for _, to := range []string{direct.Endpoint(), "http://" + f.otlp} {
		r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay.log"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + to}, nil,
			"replay", "--slo", "6ms", "--keep-share", "0.2", "--max-spans-rate", "0", recording(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	in, out := settled(t, direct.Client), settled(t, behind.Client)
	linked, fast, stubs, share, kept := 0, 0, 0, 0, 0
	for id, tr := range in {
		root := tr.Root()
		switch th := root.Tag("w3c.tracestate"); {
		case th == "":
			linked++
			if root.Tag(spans.KeyStub) != "" {
				stubs++
			}
			if root.Duration < objective.Microseconds() {
				fast++
			}
			if out[id] == nil {
				t.Errorf("%s (%s), which was kept for others, is gone", id, root.Name)
			}
		case th != "ot=th:0":
			share++
			if out[id] != nil {
				kept++
			}
		}
	}
	t.Logf("%d of %d traces have no probability, %d of these took less than %s, %d are stubs; of a share of %d %d are kept",
		linked, len(in), fast, objective, stubs, share, kept)
	if fast == 0 || stubs == 0 || share == 0 || kept > share/5 {
		t.Error("that is no test, or no sampling")
	}
}

// replayed sends all of the recording, and says what it was.
func replayed(t *testing.T, s trial.Session, f *fleet) *sent {
	t.Helper()
	in := &sent{byID: map[spans.TraceID]*spans.Trace{}}
	line := func(b []byte) error {
		tr, err := tailspan.ParseTrace(b)
		if err != nil {
			return err
		}
		in.all = append(in.all, tr)
		in.byID[tr.ID] = tr
		return nil
	}
	r, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, "replay.log"), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + f.otlp}, line,
		"replay", "--slo", "0", "--print", "traces", "--format", "jsonl", recording(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(in.all) < 1000 {
		t.Fatalf("the recording has %d traces", len(in.all))
	}
	return in
}

// settled waits until no more traces come out, and gives those that did.
func settled(t *testing.T, c jaeger.Client) map[string]*jaeger.Trace {
	t.Helper()
	out := map[string]*jaeger.Trace{}
	for end := time.Now().Add(decidesIn); time.Now().Before(end); time.Sleep(3 * time.Second) {
		traces, err := c.Find(t.Context(), jaeger.Query{Service: "kafka", Limit: 100_000})
		if err != nil {
			t.Fatal(err)
		}
		before := len(out)
		for i := range traces {
			out[traces[i].ID] = &traces[i]
		}
		if before > 0 && len(out) == before {
			break
		}
	}
	return out
}
