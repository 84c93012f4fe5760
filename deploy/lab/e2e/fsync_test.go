package e2e

import (
	"bufio"
	_ "embed"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/spans"
)

//go:embed testdata/fsyncs.bt
var fsyncsProgram string

const fsyncsFor = 15 * time.Second

// fsyncs is what the test keeps of the traces.
type fsyncs struct {
	handlers map[int64]bool // threads that appended for a request
	spans    []traced       // fs.fsync
	commits  []*spans.Trace
	byID     map[spans.TraceID]*spans.Trace // with an fs.fsync
}

func (f *fsyncs) take(line []byte) error {
	tr, err := tailspan.ParseTrace(line)
	if err != nil {
		return err
	}
	if tr.Root().Name == spans.NameJournalCommit {
		f.commits = append(f.commits, tr)
	}
	for i := range tr.Spans {
		switch s := &tr.Spans[i]; s.Name {
		case spans.NameWrite:
			f.handlers[number(s.Attributes, spans.KeyThreadID)] = true
		case spans.NameFsync:
			f.byID[tr.ID] = tr
			f.spans = append(f.spans, traced{tid: int32(number(s.Attributes, spans.KeyThreadID)), start: s.Start, end: s.End})
		}
	}
	return nil
}

// TestFsyncs: where the broker syncs what it appends (flush.messages), the
// fsyncs in traces are those that bpftrace saw, and all of the handlers' are
// there; commits say who had them begun, and lead back to the fsync.
func TestFsyncs(t *testing.T) {
	trial.NeedRoot(t)
	needTool(t, "bpftrace")
	c := scene1()
	c.Broker["log.flush.interval.messages"] = "2000"
	s := set(t, c)
	s.load(t)
	oracle := startBpftrace(t, s, fsyncsProgram)
	f := &fsyncs{handlers: map[int64]bool{}, byID: map[spans.TraceID]*spans.Trace{}}
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, f.take, "--print", "traces")
	time.Sleep(2 * time.Second)
	begin := monotonic(t)
	time.Sleep(fsyncsFor)
	end := monotonic(t)
	time.Sleep(2 * time.Second)
	trial.Stop(t, ts)
	offset := realtime(t) - monotonic(t)
	for i := range f.spans {
		f.spans[i].start -= offset
		f.spans[i].end -= offset
	}
	all := parseFsyncs(oracle(t))
	var want []traced
	for _, w := range all {
		if f.handlers[int64(w.tid)] && w.start > begin && w.end < end {
			want = append(want, w)
		}
	}
	missing, extra := without(want, f.spans), without(f.spans, all)
	t.Logf("%d fsyncs by bpftrace, %d of them handlers' within the time; %d in traces, %d handlers' are not", len(all), len(want), len(f.spans), len(missing))
	for _, w := range extra {
		t.Errorf("bpftrace did not see %+v (%s)", w, w.length())
	}
	for _, w := range missing {
		t.Errorf("no trace has %+v (%s)", w, w.length())
	}
	if len(want) == 0 {
		t.Error("no handler synced anything")
	}
	f.checkCommits(t, int64(s.Broker.PID()))
}

// checkCommits: the syncs are this process's; what a fsync of the broker had
// begun lies in that fsync, to which the commit links.
func (f *fsyncs) checkCommits(t *testing.T, broker int64) {
	linked, of := 0, map[string]int{}
	for _, c := range f.commits {
		r := c.Root()
		origin, pid := text(r.Attributes, spans.KeyOrigin), number(r.Attributes, spans.KeyPID)
		of[origin]++
		if origin == "sync" && pid != 0 && pid != int64(os.Getpid()) {
			t.Errorf("commit %s was begun for a sync by process %d, not by this one", c.ID, pid)
		}
		for _, l := range r.Links {
			s := find(f.byID[l.Trace], l.Span)
			switch {
			case s == nil:
				t.Errorf("commit %s links to no fsync", c.ID)
			case pid != broker, number(s.Attributes, spans.KeyThreadID) != number(r.Attributes, spans.KeyThreadID), s.Start > r.Start, s.End < r.Start:
				t.Errorf("commit %s links to an fsync of another thread or time", c.ID)
			default:
				linked++
			}
		}
	}
	t.Logf("%d commits by origin %v, %d linked to their fsync", len(f.commits), of, linked)
	if linked == 0 || of["sync"] == 0 {
		t.Error("no commit is linked to its fsync, or none was for a sync")
	}
}

func parseFsyncs(out string) (all []traced) {
	for lines := bufio.NewScanner(strings.NewReader(out)); lines.Scan(); {
		var w traced
		if n, _ := fmt.Sscanf(lines.Text(), "fsync %d %d %d", &w.tid, &w.start, &w.end); n == 3 {
			all = append(all, w)
		}
	}
	return all
}

// find is a span of a trace; nil: there is none.
func find(tr *spans.Trace, id spans.SpanID) *spans.Span {
	if tr == nil {
		return nil
	}
	for i := range tr.Spans {
		if tr.Spans[i].ID == id {
			return &tr.Spans[i]
		}
	}
	return nil
}

func number(attrs []attribute.KeyValue, key string) int64 { return value(attrs, key).AsInt64() }
func text(attrs []attribute.KeyValue, key string) string  { return value(attrs, key).AsString() }

func value(attrs []attribute.KeyValue, key string) attribute.Value {
	for _, kv := range attrs {
		if string(kv.Key) == key {
			return kv.Value
		}
	}
	return attribute.Value{}
}
