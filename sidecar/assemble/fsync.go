package assemble

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// fsync is one fsync with what happened inside it: of a handler thread for a
// request (flush.messages, the roll of a segment), or of another of the broker.
type fsync struct {
	b     *broker
	ev    *event.Fsync
	gap   *gap // nil: it is known whose it was
	inner *inner
	cpu   *cpu // nil: not known

	resolved  bool
	blocks    []overlap // set when resolved
	ambiguous bool
	offered   bool     // as a trace of its own: it is no request's
	owner     ids      // of the request that it was for
	blocked   *blocked // nil: nobody waited for it
	linked    bool     // a wait will tell of it
}

func (a *Assembler) fsync(e *event.Fsync) {
	a.stats.Fsyncs++
	b := a.broker(e.PID)
	if a.o.Measures != nil {
		a.o.Measures.MeasureFsync(b.id.Node, time.Duration(e.End-e.Start))
	}
	t := b.thread(e.TID)
	f := &fsync{b: b, ev: e, gap: t.gap, inner: a.innerOf(t, e.TID, e.Device, e.Start, e.End), cpu: a.during(&t.stays, e.Start, e.End)}
	t.stays.reset()
	if j := a.devices[e.Device]; j != nil {
		j.beganFor(f)
	}
	t.gap.fsyncs = appendBounded(t.gap.fsyncs, f)
	t.did(doing{start: e.Start, end: e.End, fsync: f})
}

// gatherFsyncs is the request's fsyncs, as gather is its waits.
func (r *request) gatherFsyncs(ambiguous *uint64) []*fsync {
	if r.finished {
		return r.fsyncs
	}
	var all []*fsync
	for i := range r.parts {
		w := r.parts[i].write
		if w == nil || w.before == nil {
			continue
		}
		for _, g := range [...]*gap{w.before, w.after} {
			for _, f := range g.fsyncs {
				if !f.offered && r.claims(f.ev.Start, g, &f.ambiguous, ambiguous) {
					all = append(all, f)
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y *fsync) int { return cmp.Compare(x.ev.Start, y.ev.Start) })
	return slices.Compact(all)
}

// appended is when an append was over: after its write a handler may have
// synced the partition's files (flush.messages), before it did anything else.
func (r *request) appended(w *write) event.Time {
	end := w.ev.End
	for _, f := range r.fsyncs {
		if f.ev.TID == w.ev.TID && f.ev.Start >= w.ev.End && f.of(directory(w.ev.File)) {
			end = max(end, f.ev.End)
		}
	}
	return end
}

// of says whether it was of a directory, or of a file in it.
func (f *fsync) of(dir string) bool {
	return directory(f.ev.File) == dir || strings.HasSuffix(f.ev.File, "/"+dir)
}

// directory is that of a file: of a segment, its topic-partition.
func directory(file string) string {
	dir, _, _ := strings.Cut(file, "/")
	return dir
}

// resolve finds what an fsync waited for, once.
func (f *fsync) resolve(a *Assembler) {
	if f.resolved {
		return
	}
	f.resolved = true
	j := a.journalFor(f.ev.Device, f.inner)
	if j == nil || f.ev.End-f.ev.Start < minHeld {
		return
	}
	f.blocks = mostOf(j.carve(nil, stretch{thread: f.ev.Thread, cpu: f.cpu, from: f.ev.Start, to: f.ev.End, sync: true}, f.inner))
	a.offerFlushes(f.blocks)
}

// traceOfFsync is the trace in which an fsync stands: its request's, or one of
// its own.
func (a *Assembler) traceOfFsync(f *fsync) ids {
	if !f.owner.IsZero() {
		return f.owner
	}
	if !f.ambiguous && f.gap != nil {
		for r := range f.gap.requests {
			if r.takes(f.ev.Start, f.gap) { // one at most
				return r.ids()
			}
		}
	}
	id := spans.EventID(f.b.id.Cluster, f.b.id.Node, spans.NameBrokerFsync,
		uint64(f.b.pid)<<32|uint64(uint32(f.ev.TID)), a.o.Clock.Unix(f.ev.Start))
	if !f.offered {
		f.offered, f.gap = true, nil
		f.resolve(a)
		t := &lone{a: a, b: f.b, id: id, name: spans.NameBrokerFsync,
			start: f.ev.Start, end: f.ev.End, thread: f.ev.Thread, fsync: f}
		t.due(a)
	}
	return alone(id)
}

// cause is what took most of an fsync.
func (f *fsync) cause() spans.Cause {
	var c costs
	f.cost(&c)
	return c.largest()
}

// cost divides an fsync: what it waited for, and the rest.
func (f *fsync) cost(c *costs) {
	rest := f.ev.End - f.ev.Start
	for _, o := range apart(f.blocks) {
		c[o.cost] += o.end - o.start
		rest -= o.end - o.start
	}
	c[costFsync] += max(0, rest)
}

func (f *fsync) spanID(id spans.TraceID) spans.SpanID {
	return id.Child(spans.NameFsync, uint64(f.ev.TID), uint64(f.ev.Start))
}

// fsync adds fs.fsync with what happened inside it.
func (b *builder) fsync(parent int, f *fsync) {
	e := f.ev
	attrs := append(threadAttributes(e.Thread),
		attribute.String(spans.KeyFile, e.File),
		attribute.Int64(spans.KeyInode, int64(e.Inode)),
		attribute.String(spans.KeyDevice, device(e.Device)),
		attribute.Bool(spans.KeyDataSync, e.Data))
	if f.cpu != nil {
		attrs = f.cpu.attributes(attrs, e.End-e.Start)
	}
	i := b.span(parent, spans.NameFsync, f.spanID(b.t.ID), e.Start, e.End, attrs...)
	if e.Result < 0 {
		b.t.Spans[i].Error = "errno " + itoa(int32(-e.Result))
	}
	b.handles(i, f.inner, f.blocks, nil)
	b.overlaps(i, f.blocks, nil, nil)
	b.kernelWaits(i, e.TID, f.cpu, nil, nil)
	b.blockIO(i, i, e.TID, f.inner.disk())
}
