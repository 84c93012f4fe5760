package assemble

import (
	"strconv"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// maxLinks bounds the links of one span.
const maxLinks = 32

// builder makes the spans of one trace; every child is cut to lie inside its
// parent.
type builder struct {
	t    *spans.Trace
	unix int64 // Unix ns - event time
	ids  map[spans.SpanID]bool
}

// span adds a child and returns its index.
func (b *builder) span(parent int, name string, id spans.SpanID, start, end event.Time, attrs ...attribute.KeyValue) int {
	s := spans.Span{ID: b.unique(id), Name: name, Start: int64(start) + b.unix, End: int64(end) + b.unix, Attributes: attrs}
	p := &b.t.Spans[parent]
	s.Parent = p.ID
	if cut := b.clip(&s, p); cut > 0 {
		s.Attributes = append(s.Attributes, attribute.Int64(spans.KeyClipped, cut))
	}
	b.t.Spans = append(b.t.Spans, s)
	return len(b.t.Spans) - 1
}

// unique gives another id to a span that would have a sibling's: a recording
// may hold the same probe record twice.
func (b *builder) unique(id spans.SpanID) spans.SpanID {
	if b.ids == nil {
		b.ids = map[spans.SpanID]bool{b.t.Spans[0].ID: true}
	}
	for n := uint64(0); b.ids[id]; n++ {
		id = b.t.ID.Child(id.String(), n)
	}
	b.ids[id] = true
	return id
}

// clip also gives a span that has no length a nanosecond, where its parent has
// one: Jaeger takes an end that is not after the start for a clock's fault.
func (b *builder) clip(s, p *spans.Span) (cut int64) {
	whole := s.End - s.Start
	s.Start = min(max(s.Start, p.Start), p.End)
	s.End = max(min(s.End, p.End), s.Start)
	cut = whole - (s.End - s.Start)
	switch {
	case s.End > s.Start:
	case s.End < p.End:
		s.End++
	case s.Start > p.Start:
		s.Start--
	}
	return cut
}

// BuildTrace makes the spans of a finished request.
func (r *request) BuildTrace() *spans.Trace {
	id := r.ownID()
	b := &builder{t: &spans.Trace{ID: id, Resource: r.b.id.Resource, Request: true, Places: r.places()}, unix: r.ev.ArrivalUnix - int64(r.ev.Arrival)}
	phases := r.phases(nil, true)
	end := phases[len(phases)-1].end
	root := spans.Span{
		ID: rootID(id, spans.NameProduce), Name: r.name(), Kind: r.kind(),
		Start: r.ev.ArrivalUnix, End: max(int64(max(end, r.end))+b.unix, r.ev.ArrivalUnix+1),
		Error: r.error(), Attributes: r.attributes(), Links: r.links(),
	}
	if r.bare {
		root.Attributes = r.bareAttributes()
	}
	b.t.Spans = append(b.t.Spans, root)
	placed, synced := make([]bool, len(r.waits)), make([]bool, len(r.fsyncs))
	for k, p := range phases {
		if p.start == p.end && p.write == nil {
			continue // the whole request came in one packet, say
		}
		i := 0 // a bare append is the root itself
		if !r.bare {
			i = b.span(0, p.name, id.Child(p.name, uint64(k)), p.start, p.end, r.phaseAttributes(&p)...)
		}
		if p.name == spans.NameSocket && !r.before.ids.IsZero() {
			b.link(i, r.before.ids.trace, rootID(r.before.ids.seed, spans.NameProduce), spans.LinkPipelined)
		}
		for n, w := range r.waits {
			if !placed[n] && w.start < p.end && w.end > p.start {
				placed[n] = true
				b.wait(i, w)
			}
		}
		if p.write != nil {
			b.write(i, p.write, r.parts[p.part].join)
		}
		for n, f := range r.fsyncs {
			if !synced[n] && f.ev.Start < p.end && f.ev.End > p.start {
				synced[n] = true
				b.fsync(i, f)
			}
		}
	}
	b.pauses(r.pauses)
	r.adopt(b.t)
	return b.t
}

// write adds fs.write with what happened inside it.
func (b *builder) write(parent int, w *write, how join) {
	e := w.ev
	attrs := append(threadAttributes(e.Thread),
		attribute.String(spans.KeyFile, e.File),
		attribute.Int64(spans.KeyOffset, e.Offset),
		attribute.Int64(spans.KeyBytes, e.Bytes),
		attribute.String(spans.KeyDevice, device(e.Device)))
	if how != joinNone {
		attrs = append(attrs, attribute.String(spans.KeyJoin, how.String()))
	}
	if w.cpu != nil {
		attrs = w.cpu.attributes(attrs, e.End-e.Start)
	}
	i := b.span(parent, spans.NameWrite, w.spanID(b.t.ID), e.Start, e.End, attrs...)
	for _, d := range w.dirty {
		name := spans.NameExt4DirtyInode
		if d.FileSystem != "ext4" {
			name = spans.NameOtherDirtyInode
		}
		j := b.span(i, name, b.t.ID.Child(name, uint64(d.TID), uint64(d.Start)), d.Start, d.End,
			attribute.Int64(spans.KeyInode, int64(d.Inode)),
			attribute.String(spans.KeyDevice, device(e.Device)))
		b.handles(j, w.inner, w.blocks, d)
		b.overlaps(j, w.blocks, d, nil)
		b.kernelWaits(j, e.TID, w.cpu, d, w.dirty)
	}
	b.handles(i, w.outside(), w.blocks, nil)
	b.overlaps(i, w.blocks, nil, nil)
	b.kernelWaits(i, e.TID, w.cpu, nil, w.dirty)
	b.blockIO(i, i+1, e.TID, w.inner.disk())
}

func (b *builder) link(i int, trace spans.TraceID, span spans.SpanID, kind string) {
	b.linkTo(i, target{trace, span, kind}, maxLinks)
}

// linkTo adds a link to a span that has fewer than limit of them, once.
func (b *builder) linkTo(i int, to target, limit int) {
	s := &b.t.Spans[i]
	if to.trace.IsZero() || len(s.Links) >= limit {
		return
	}
	for _, l := range s.Links {
		if l.Trace == to.trace && l.Span == to.span {
			return
		}
	}
	s.Links = append(s.Links, spans.Link{Trace: to.trace, Span: to.span,
		Attributes: []attribute.KeyValue{attribute.String(spans.KeyLinkKind, to.kind)}})
}

func threadAttributes(t event.Thread) []attribute.KeyValue {
	attrs := []attribute.KeyValue{
		attribute.Int64(spans.KeyThreadID, int64(t.TID)),
		attribute.String(spans.KeyThreadName, t.Name),
	}
	if role := role(t.Name); role != "" {
		attrs = append(attrs, attribute.String(spans.KeyThreadRole, role))
	}
	return attrs
}

func (w *write) spanID(id spans.TraceID) spans.SpanID {
	return id.Child(spans.NameWrite, uint64(w.ev.TID), uint64(w.ev.Start))
}

func rootID(id spans.TraceID, name string) spans.SpanID { return id.Child(name) }

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func device(d event.Device) string {
	return strconv.Itoa(int(d.Major())) + ":" + strconv.Itoa(int(d.Minor()))
}
