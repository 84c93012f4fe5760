package assemble

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// due finishes the commit, once it is known what the fsync was for that had it
// begun.
func (c *commit) due(a *Assembler) {
	f := c.origin
	if f != nil && !f.gap.closed() && a.now < c.ev.End+linger+patience {
		a.after(a.now+linger/4, c)
		return
	}
	if a.o.Rows.Commits {
		a.printCommit(c)
	}
	t := &commitTrace{a: a, c: c}
	if f != nil {
		ids := a.traceOfFsync(f)
		t.origin, t.originSpan = ids.trace, f.spanID(ids.seed)
		c.origin = nil
	}
	a.offer(t)
}

// beganFor notes the commits that an fsync which has ended had begun. Mostly
// they have ended before it.
func (j *journal) beganFor(f *fsync) {
	for c := range j.running(f.ev.Start, f.ev.End) {
		if c.wasFor(f) {
			c.origin = f
		}
	}
}

// find looks for the fsync that had a commit begun, where that has ended first.
func (c *commit) find(a *Assembler) {
	b := a.brokers[c.ev.By.PID]
	if b == nil || c.ev.Origin != event.OriginFsync || b.threads[c.ev.By.TID] == nil {
		return
	}
	for _, d := range b.threads[c.ev.By.TID].doings {
		if d.fsync != nil && c.wasFor(d.fsync) {
			c.origin = d.fsync
		}
	}
}

// wasFor says whether the commit was begun for an fsync: by its thread, within
// it.
func (c *commit) wasFor(f *fsync) bool {
	return c.ev != nil && c.ev.Origin == event.OriginFsync && c.ev.By.TID == f.ev.TID && c.ev.By.PID == f.ev.PID &&
		f.ev.Start <= c.ev.Start && f.ev.End >= c.ev.Start
}

// commitTrace is a journal commit as a trace of its own.
type commitTrace struct {
	a          *Assembler
	c          *commit
	origin     spans.TraceID // of the fsync that had it begun
	originSpan spans.SpanID
}

// BuildTrace makes the root, its phases, and what the disk did meanwhile: in a
// phase, if nearly all of it lies there.
func (t *commitTrace) BuildTrace() *spans.Trace {
	c := t.c
	var res *spans.Resource
	if b := t.a.ownerOf(c.b); b != nil {
		res = b.id.Resource
	}
	unix := t.a.o.Clock.Unix(c.ev.Start) - int64(c.ev.Start)
	b := &builder{t: &spans.Trace{ID: c.id, Resource: res}, unix: unix}
	b.t.Spans = append(b.t.Spans, spans.Span{
		ID: rootID(c.id, spans.NameJournalCommit), Name: spans.NameJournalCommit,
		Start: int64(c.ev.Start) + unix, End: int64(c.ev.End) + unix,
		Attributes: c.attributes(),
	})
	b.link(0, t.origin, t.originSpan, spans.LinkOrigin)
	var phase [4]int // index of its span; 0: none
	for k, p := range c.phases() {
		if p.end > p.start {
			phase[k] = b.span(0, spans.PrefixJBD2+p.name, c.id.Child(p.name), p.start, p.end)
		}
	}
	for _, e := range c.io {
		in := 0
		for k, p := range c.phases() {
			whole := min(e.End, c.ev.End) - max(e.Start, c.ev.Start)
			if n := min(e.End, p.end) - max(e.Start, p.start); 10*n >= 9*whole {
				in = phase[k]
			}
		}
		b.io(in, e, issued(e, c.ev.TID))
	}
	return b.t
}

// attributes are those of the root; what is not known is left out.
func (c *commit) attributes() []attribute.KeyValue {
	e, n := c.ev, 0
	for i := range c.held {
		if c.held[i].what == heldDirtyInode {
			n++
		}
	}
	attrs := []attribute.KeyValue{
		attribute.String(spans.KeyDevice, device(c.device)),
		attribute.Int64(spans.KeyTransaction, int64(c.transaction)),
		attribute.Int64(spans.KeyHeld, int64(n)),
	}
	if e.Origin != "" {
		attrs = append(attrs, attribute.String(spans.KeyOrigin, string(e.Origin)))
	}
	if e.By.TID != 0 {
		attrs = append(attrs, processAttributes(e.By)...)
	}
	add := func(key string, value int64) {
		if value != 0 {
			attrs = append(attrs, attribute.Int64(key, value))
		}
	}
	if e.Size != 0 {
		attrs = append(attrs, attribute.Int64(spans.KeyJournalFree, int64(e.Free)))
	}
	add(spans.KeyJournalSize, int64(e.Size))
	s := &e.Stats
	add(spans.KeyHandles, int64(s.Handles))
	add(spans.KeyDirtied, int64(s.Blocks))
	add(spans.KeyLogged, int64(s.Logged))
	add(spans.KeyRunWait, int64(s.Wait))
	add(spans.KeyRequestDelay, int64(s.RequestDelay))
	add(spans.KeyRunning, int64(s.Running))
	add(spans.KeyLocked, int64(s.Locked))
	add(spans.KeyFlushing, int64(s.Flushing))
	add(spans.KeyLogging, int64(s.Logging))
	return attrs
}

// ownerOf is the broker that goes for what is nobody's: one that it held up,
// else the only one there is.
func (a *Assembler) ownerOf(b *broker) *broker {
	if b != nil || len(a.brokers) != 1 {
		return b
	}
	for _, b := range a.brokers {
		return b
	}
	return nil
}
