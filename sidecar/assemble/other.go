package assemble

import (
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
	hold       *exit
	wait       *wait // of who held it, while it did; nil: none, or a request's
}

// due offers it, once it is known what it cost others, or there is no hope.
func (t *lone) due(a *Assembler) {
	b := t.blocked()
	if b.open() && a.now < t.end+linger+patience {
		a.after(a.now+linger/4, t)
		return
	}
	b.tell()
	a.offer(t)
}

// blocked is what it cost others, nil for nothing.
func (t *lone) blocked() *blocked {
	switch {
	case t.write != nil:
		return t.write.blocked
	case t.fsync != nil:
		return t.fsync.blocked
	}
	return t.hold.blocked
}

// causes are why it lasted; of a hold that is not known, unless its thread waited.
func (t *lone) causes() (cause, root spans.Cause, reason string) {
	switch {
	case t.write != nil:
		cause, reason = t.write.cause(), t.write.cpu.why()
	case t.fsync != nil:
		cause, reason = t.fsync.cause(), t.fsync.cpu.why()
	case t.wait != nil:
		return spans.CauseMonitor, t.wait.root, t.wait.reason
	}
	return cause, cause, reason
}

// BuildTrace makes the root, and under it the write, the fsync, or the wait in a hold.
func (t *lone) BuildTrace() *spans.Trace {
	unix := t.a.o.Clock.Unix(t.start) - int64(t.start)
	b := &builder{t: &spans.Trace{ID: t.id, Resource: t.b.id.Resource}, unix: unix}
	attrs := append(threadAttributes(t.thread), attribute.Int64(spans.KeyPID, int64(t.b.pid)))
	if t.hold != nil {
		attrs = append(attrs, attribute.String(spans.KeyMonitorAddress, address(t.hold.monitor)))
	}
	if cause, root, reason := t.causes(); cause != spans.CauseNone {
		attrs = append(attrs, attribute.String(spans.KeyCause, string(cause)), attribute.String(spans.KeyRootCause, string(root)))
		if reason != "" {
			attrs = append(attrs, attribute.String(spans.KeyReason, reason))
		}
	}
	attrs = t.blocked().attributes(attrs)
	b.t.Spans = append(b.t.Spans, spans.Span{
		ID: rootID(t.id, t.name), Name: t.name,
		Start: int64(t.start) + unix, End: int64(t.end) + unix, Attributes: attrs,
	})
	switch {
	case t.write != nil:
		b.write(0, t.write, joinNone)
	case t.fsync != nil:
		b.fsync(0, t.fsync)
	case t.wait != nil:
		b.wait(0, t.wait)
	}
	return b.t
}

// traceOfWrite is the trace in which a write stands: its request's, or one of
// its own.
func (a *Assembler) traceOfWrite(b *broker, w *write) ids {
	if w.part != nil && !w.offered {
		return w.part.r.ids()
	}
	id := spans.EventID(b.id.Cluster, b.id.Node, spans.NameBrokerWrite,
		uint64(b.pid)<<32|uint64(uint32(w.ev.TID)), a.o.Clock.Unix(w.ev.Start))
	if !w.offered {
		w.offered = true
		t := &lone{a: a, b: b, id: id, name: spans.NameBrokerWrite,
			start: w.ev.Start, end: w.ev.End, thread: w.ev.Thread, write: w}
		t.due(a)
	}
	return alone(id)
}

// traceOfHold is the trace of a hold that was neither a write nor a request's wait;
// in is the wait of its thread meanwhile, nil for none.
func (a *Assembler) traceOfHold(b *broker, x *exit, in *wait) spans.TraceID {
	id := spans.EventID(b.id.Cluster, b.id.Node, spans.NameLockHold,
		uint64(b.pid)<<32|uint64(uint32(x.thread.TID)), a.o.Clock.Unix(x.time))
	if !x.offered {
		x.offered = true
		t := &lone{a: a, b: b, id: id, name: spans.NameLockHold,
			start: x.since, end: x.time, thread: x.thread, hold: x, wait: in}
		t.due(a)
	}
	return id
}
