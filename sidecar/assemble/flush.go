package assemble

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// flushesKept is how many fast commits and log forces of a device are
// remembered, of those that took minHeld or longer: for as long as a write
// lingers, if they come one after the other.
const flushesKept = 1024

// flush is a fast commit of ext4 or a force of an XFS log: the counterparts of a
// commit that the thread which asks for them does itself, whosever it is.
type flush struct {
	name       string // of its span
	start, end event.Time
	thread     event.Thread
	device     event.Device
	attributes []attribute.KeyValue
	id         spans.TraceID
	offered    bool
}

// fastCommit leaves those out that did not succeed: a commit was begun instead,
// or another thread's served (fs/ext4/fast_commit.c, ext4_fc_commit), and is seen
// as such.
func (a *Assembler) fastCommit(e *event.FastCommit) {
	if e.Status != 0 {
		return
	}
	attrs := []attribute.KeyValue{attribute.Int64(spans.KeyFastCommitted, int64(e.Blocks))}
	if e.Transaction != 0 {
		attrs = append(attrs, attribute.Int64(spans.KeyTransaction, int64(e.Transaction)))
	}
	a.flush(&flush{name: spans.NameFastCommit, start: e.Start, end: e.End, thread: e.Thread, device: e.Device, attributes: attrs})
}

func (a *Assembler) logForce(e *event.LogForce) {
	a.flush(&flush{name: spans.NameLogForce, start: e.Start, end: e.End, thread: e.Thread, device: e.Device,
		attributes: []attribute.KeyValue{attribute.Bool(spans.KeyLogSync, e.Sync)}})
}

// flush remembers one. It may be any process's: it makes no broker known.
func (a *Assembler) flush(f *flush) {
	f.id = spans.EventID("", 0, f.name, uint64(f.device)<<32|uint64(uint32(f.thread.TID)), a.o.Clock.Unix(f.start))
	f.attributes = append(f.attributes, attribute.String(spans.KeyDevice, device(f.device)))
	if b := a.brokers[f.thread.PID]; b != nil {
		b.thread(f.thread.TID).inside().flushed(f)
	}
	if f.end-f.start >= minHeld {
		a.journal(f.device).flushes.add(f, flushesKept)
	}
	if f.end-f.start >= minBlocked {
		a.offerFlush(f)
	}
}

// offerFlush offers its trace once: when it was slow, or is linked to.
func (a *Assembler) offerFlush(f *flush) {
	if !f.offered {
		f.offered = true
		a.offer(&flushTrace{a, f})
	}
}

// flushTrace is a flush as a trace of its own.
type flushTrace struct {
	a *Assembler
	*flush
}

// BuildTrace makes the root, which is all.
func (t *flushTrace) BuildTrace() *spans.Trace {
	var res *spans.Resource
	if b := t.a.ownerOf(t.a.brokers[t.thread.PID]); b != nil {
		res = b.id.Resource
	}
	unix := t.a.o.Clock.Unix(t.start) - int64(t.start)
	return &spans.Trace{ID: t.id, Resource: res, Spans: []spans.Span{{
		ID: rootID(t.id, t.name), Name: t.name,
		Start: int64(t.start) + unix, End: max(int64(t.end)+unix, int64(t.start)+unix+1),
		Attributes: append(processAttributes(t.thread), t.attributes...),
	}}}
}

// processAttributes name a thread that may be any process's.
func processAttributes(t event.Thread) []attribute.KeyValue {
	return append(threadAttributes(t), attribute.Int64(spans.KeyPID, int64(t.PID)))
}

// linkOf is the kind of a link to the whole flush.
func (f *flush) linkOf() string {
	if f.name == spans.NameLogForce {
		return spans.LinkLogForce
	}
	return spans.LinkCommit
}

// cost is the index in causes of the time that it takes.
func (f *flush) cost() int {
	if f.name == spans.NameLogForce {
		return costLog
	}
	return costFastCommit
}

// spanID is that of its span in another trace.
func (f *flush) spanID(id spans.TraceID, from event.Time) spans.SpanID {
	return id.Child(f.name, uint64(f.thread.TID), uint64(f.start), uint64(from))
}
