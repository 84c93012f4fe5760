package assemble

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// lone is something of a broker that blocked a request and is none itself,
// as a trace of one root.
type lone struct {
	a          *Assembler
	b          *broker
	id         spans.TraceID
	name       string
	start, end event.Time
	thread     event.Thread
	write      *write // nil: a hold or an fsync
	fsync      *fsync
	monitor    uint64
}

func (t *lone) TraceID() spans.TraceID { return t.id }

func (t *lone) Latency() time.Duration { return 0 }

// BuildTrace makes the root, and under it the write or the fsync.
func (t *lone) BuildTrace() *spans.Trace {
	unix := t.a.o.Clock.Unix(t.start) - int64(t.start)
	b := &builder{t: &spans.Trace{ID: t.id, Resource: t.b.id.Resource}, unix: unix}
	attrs := append(threadAttributes(t.thread), attribute.Int64(spans.KeyPID, int64(t.b.pid)))
	if t.write == nil && t.fsync == nil {
		attrs = append(attrs, attribute.String(spans.KeyMonitorAddress, address(t.monitor)))
	}
	b.t.Spans = append(b.t.Spans, spans.Span{
		ID: rootID(t.id, t.name), Name: t.name,
		Start: int64(t.start) + unix, End: int64(t.end) + unix, Attributes: attrs,
	})
	switch {
	case t.write != nil:
		b.write(0, t.write, joinNone)
	case t.fsync != nil:
		b.fsync(0, t.fsync)
	}
	return b.t
}

// traceOfWrite is the trace in which a write stands: its request's, or one of
// its own.
func (a *Assembler) traceOfWrite(b *broker, w *write) spans.TraceID {
	if w.part != nil && !w.offered {
		return w.part.r.traceID()
	}
	id := spans.EventID(b.id.Cluster, b.id.Node, spans.NameBrokerWrite,
		uint64(b.pid)<<32|uint64(uint32(w.ev.TID)), a.o.Clock.Unix(w.ev.Start))
	if !w.offered {
		w.offered = true
		a.offer(&lone{a: a, b: b, id: id, name: spans.NameBrokerWrite,
			start: w.ev.Start, end: w.ev.End, thread: w.ev.Thread, write: w})
	}
	return id
}

// traceOfHold is the trace of a hold that was neither a write nor a wait.
func (a *Assembler) traceOfHold(b *broker, x *exit) spans.TraceID {
	id := spans.EventID(b.id.Cluster, b.id.Node, spans.NameLockHold,
		uint64(b.pid)<<32|uint64(uint32(x.thread.TID)), a.o.Clock.Unix(x.time))
	if !x.offered {
		x.offered = true
		a.offer(&lone{a: a, b: b, id: id, name: spans.NameLockHold,
			start: x.since, end: x.time, thread: x.thread, monitor: x.monitor})
	}
	return id
}
