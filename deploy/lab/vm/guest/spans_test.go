package guest

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

// load is how long the handler and its neighbour write.
const load = 5 * time.Second

// TestSpans has a handler and its neighbour write to each disk.
func TestSpans(t *testing.T) {
	mounts := here(t).Mounts
	probes := open(t)
	for _, m := range mounts {
		t.Run(filepath.Base(m.Dir), func(t *testing.T) { testSpans(t, probes, m) })
	}
}

func testSpans(t *testing.T, probes *bpf.Probes, m plan.Mount) {
	p := watch(t, probes, m)
	h, n := newHandler(t, m.Dir), &neighbour{file: create(t, m.Dir, "neighbour")}
	quiet(t, m)
	disk := sectorsWritten(t, m)
	from, before, fast := now(), transactions(t, m), fastCommits(t, m)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() { h.write(stop) })
	oracle := countDirtyInodes(t, <-h.tids)
	close(h.begin)
	wg.Go(func() { n.write(stop) })
	time.Sleep(load)
	close(stop)
	wg.Wait()
	quiet(t, m)
	to, after := now(), transactions(t, m)
	fast = fastCommits(t, m) - fast
	diskAfter := sectorsWritten(t, m)
	if h.ended != nil || n.ended != nil {
		t.Fatal(h.ended, n.ended)
	}
	p.assemble(t, h.all)
	var slowest event.Time
	for _, w := range h.all {
		slowest = max(slowest, w.took())
	}
	t.Logf("%d writes, the slowest %s, beside %d fsyncs", len(h.all), time.Duration(slowest), len(n.fsyncs))
	checkJoins(t, p, h)
	checkFsyncs(t, p, h, n, m)
	reasons := checkReasons(t, p, h)
	checkDisk(t, p, disk, diskAfter)
	dirty := checkWrites(t, p)
	if m.Type == "xfs" {
		checkLogForces(t, p, n)
		if dirty != 0 {
			t.Errorf("%d of %s on XFS", dirty, spans.NameExt4DirtyInode)
		}
		return
	}
	checkDirtyInodes(t, dirty, oracle)
	checkCommits(t, p, from, to, after-before)
	checkFastCommits(t, p, from, to, fast)
	checkOrigins(t, p, from, to, h, n, fast > 0)
	checkHeld(t, p, h, fast > 0)
	if p.subjects[bpf.SubjectOffCPU] && fast == 0 && reasons[stack.JournalBuffer] == 0 {
		t.Errorf("no slow write waited for %s: %v", stack.JournalBuffer, reasons)
	}
}

// checkJoins wants every write joined to its request, exactly, as its thread
// measured it.
func checkJoins(t *testing.T, p *pipeline, h *handler) {
	t.Helper()
	if len(p.joined) != len(h.all) || len(p.requests) != len(h.all) {
		t.Fatalf("%d requests of which %d are joined, of %d writes", len(p.requests), len(p.joined), len(h.all))
	}
	for _, j := range p.joined {
		w := &h.all[j.CorrelationID]
		if j.Join != "exact" || j.TID != h.tid || j.Offset != w.offset || j.Bytes != int64(w.bytes) || j.File != topic+"-0/"+segment {
			t.Fatalf("write %d of thread %d is joined as %+v", j.CorrelationID, h.tid, j)
		}
		if j.WriteStart < int64(w.before) || j.WriteEnd > int64(w.after) || j.WriteEnd <= j.WriteStart {
			t.Fatalf("write %d took %d..%d, seen as %d..%d", j.CorrelationID, w.before, w.after, j.WriteStart, j.WriteEnd)
		}
	}
}

// checkWrites wants one fs.write in each request's trace, and returns how many
// ext4_dirty_inodes are in them.
func checkWrites(t *testing.T, p *pipeline) (dirty int) {
	t.Helper()
	for _, r := range p.requests {
		tr := p.traces[r.TraceID]
		if tr == nil {
			t.Fatalf("request %d has no trace", r.CorrelationID)
		}
		writes := named(tr, spans.NameWrite)
		if len(writes) != 1 {
			t.Fatalf("request %d has %d of %s", r.CorrelationID, len(writes), spans.NameWrite)
		}
		for _, d := range named(tr, spans.NameExt4DirtyInode) {
			if d.Parent != writes[0].ID {
				t.Fatalf("request %d: %s outside of the write", r.CorrelationID, d.Name)
			}
			dirty++
		}
	}
	return dirty
}

// checkDirtyInodes wants as many as the kernel's own tracer counted. Not every
// write is one of them: with delayed allocation, newer kernels leave it to the
// writeback (fs/ext4/inode.c, ext4_da_do_write_end).
func checkDirtyInodes(t *testing.T, dirty int, oracle *tracer) {
	t.Helper()
	if oracle == nil {
		if dirty == 0 {
			t.Errorf("no %s", spans.NameExt4DirtyInode)
		}
		return
	}
	if want := oracle.count(t); dirty != want || want == 0 {
		t.Errorf("%d of %s, the tracer counted %d", dirty, spans.NameExt4DirtyInode, want)
	}
}

func named(tr *spans.Trace, name string) []*spans.Span {
	var all []*spans.Span
	for i := range tr.Spans {
		if tr.Spans[i].Name == name {
			all = append(all, &tr.Spans[i])
		}
	}
	return all
}
