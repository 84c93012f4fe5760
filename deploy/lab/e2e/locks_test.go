package e2e

import (
	"path/filepath"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// locks is what a recording tells of locks: in rows, and in spans. A row and a span
// of one thing may differ by some ns in its times, of whose packets they go by,
// not in how long it took.
type locks struct {
	waits  []assemble.WaitRow
	writes map[int32][]assemble.WriteRow // by thread
	spans  map[waiting]*spans.Span       // monitor.wait
	wrote  map[place]batch               // fs.write
	within map[string]map[batch]bool     // likewise, by trace
	roots  map[string]*spans.Span        // of traces that blocked others
}

// waiting tells a monitor.wait from others.
type waiting struct {
	trace   string
	tid, ns int64
}

// place is where a link leads.
type place struct{ trace, span string }

// batch is where a write stands.
type batch struct {
	file   string
	offset int64
}

func (s *stage) locks(t *testing.T, file string) *locks {
	t.Helper()
	log := func(name string) string { return filepath.Join(s.Dir, "replay-"+name+".log") }
	waits, err := tailspan.Replay[assemble.WaitRow](t.Context(), s.Bin, log("waits"), file, "waits")
	if err != nil {
		t.Fatal(err)
	}
	writes, err := tailspan.Replay[assemble.WriteRow](t.Context(), s.Bin, log("writes"), file, "writes")
	if err != nil {
		t.Fatal(err)
	}
	x := &locks{waits: waits, writes: map[int32][]assemble.WriteRow{}, spans: map[waiting]*spans.Span{},
		wrote: map[place]batch{}, within: map[string]map[batch]bool{}, roots: map[string]*spans.Span{}}
	for _, w := range writes {
		x.writes[w.TID] = append(x.writes[w.TID], w)
	}
	ts, err := tailspan.Start(s.Bin, log("traces"), []string{trial.NoExport}, x.trace, "replay", "--print", "traces", "--format", "jsonl", file)
	if err != nil {
		t.Fatal(err)
	}
	if err := ts.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return x
}

// trace takes a line of --print traces.
func (x *locks) trace(line []byte) error {
	tr, err := tailspan.ParseTrace(line)
	if err != nil {
		return err
	}
	id := tr.ID.String()
	if number(tr.Root().Attributes, spans.KeyBlockedRequests) > 0 {
		x.roots[id] = tr.Root()
	}
	for i := range tr.Spans {
		s := &tr.Spans[i]
		switch s.Name {
		case spans.NameMonitorWait:
			x.spans[waiting{id, number(s.Attributes, spans.KeyThreadID), whole(s)}] = s
		case spans.NameWrite:
			b := batch{value(s.Attributes, spans.KeyFile).AsString(), number(s.Attributes, spans.KeyOffset)}
			x.wrote[place{id, s.ID.String()}] = b
			if x.within[id] == nil {
				x.within[id] = map[batch]bool{}
			}
			x.within[id][b] = true
		}
	}
	return nil
}

// whole is how long something took, with what was cut off its span to lie inside
// the parent, in ns.
func whole(s *spans.Span) int64 { return s.End - s.Start + number(s.Attributes, spans.KeyClipped) }

// span is that of a wait, nil if it is no request's.
func (x *locks) span(w *assemble.WaitRow) *spans.Span {
	if w.TraceID == nil {
		return nil
	}
	return x.spans[waiting{*w.TraceID, int64(w.TID), w.Latency}]
}
