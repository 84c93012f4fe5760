package guest

import (
	"testing"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// checkFsyncs wants every fsync of both threads, as they measured them, and the
// handler's in the traces of the requests that waited for them.
func checkFsyncs(t *testing.T, p *pipeline, h *handler, n *neighbour, m plan.Mount) {
	t.Helper()
	if err := p.missing[bpf.SubjectFsync]; !p.subjects[bpf.SubjectFsync] || m.Type == "xfs" && err != nil {
		t.Logf("fsyncs are not seen: %v", err)
		return
	}
	var handlers []call
	for _, w := range h.all {
		if w.fsync != nil {
			handlers = append(handlers, *w.fsync)
		}
	}
	seen := map[int32][]*event.Fsync{}
	for _, f := range of[*event.Fsync](p) {
		seen[f.TID] = append(seen[f.TID], f)
	}
	sameCalls(t, "the neighbour's fsyncs", seen[n.tid], n.fsyncs)
	sameCalls(t, "the handler's fsyncs", seen[h.tid], handlers)
	for _, r := range p.requests {
		got := named(p.traces[r.TraceID], spans.NameFsync)
		if want := h.all[r.CorrelationID].fsync; (want != nil) != (len(got) == 1) || len(got) > 1 {
			t.Errorf("request %d has %d of %s, want one: %v", r.CorrelationID, len(got), spans.NameFsync, want != nil)
		}
	}
}

func sameCalls(t *testing.T, what string, got []*event.Fsync, want []call) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d were seen, %d made", what, len(got), len(want))
		return
	}
	for i, f := range got {
		if f.Start < want[i].before || f.End > want[i].after || f.End <= f.Start || f.Result != 0 {
			t.Errorf("%s: number %d took %+v, seen as %+v", what, i, want[i], f)
		}
	}
}
