package otlp

import (
	"strings"
	"unicode/utf8"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	resourcepb "go.opentelemetry.io/proto/otlp/resource/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tailspan/tailspan/spans"
)

const (
	scopeName = "github.com/tailspan/tailspan"

	// W3C Trace Context: the trace is sampled; the last 7 bytes of its id are
	// uniform (level 2).
	flagSampled, flagRandom = 0x01, 0x02

	// Whether the parent, or what is linked to, is remote: known, and so.
	flagKnown  = uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK)
	flagRemote = uint32(tracepb.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK)

	maxResources = 64 // converted resources remembered
)

// converter turns traces into OTLP. What it returns is valid until its next
// call, which uses the same memory; it refers to the traces' bytes and strings.
type converter struct {
	scope     *commonpb.InstrumentationScope
	resources []resourceSpans // most recent batches' resources, converted once
	out       []*tracepb.ResourceSpans
	arena     arena
}

type resourceSpans struct {
	of  *spans.Resource
	out *tracepb.ResourceSpans
}

func newConverter(version string) *converter {
	return &converter{scope: &commonpb.InstrumentationScope{Name: scopeName, Version: version}}
}

// batch converts traces, grouped by their resource.
func (c *converter) batch(traces []*spans.Trace) []*tracepb.ResourceSpans {
	c.reset()
	for _, t := range traces {
		scope := c.resource(t.Resource).ScopeSpans[0]
		for i := range t.Spans {
			scope.Spans = append(scope.Spans, c.arena.span(t, &t.Spans[i]))
		}
	}
	c.out = c.out[:0]
	for _, r := range c.resources {
		if len(r.out.ScopeSpans[0].Spans) > 0 {
			c.out = append(c.out, r.out)
		}
	}
	return c.out
}

// stored returns what was converted before it was written to disk.
func (c *converter) stored(records []record) []*tracepb.ResourceSpans {
	c.out = c.out[:0]
	for i := range records {
		c.out = append(c.out, records[i].rs)
	}
	return c.out
}

func (c *converter) reset() {
	c.arena.reset()
	if len(c.resources) > maxResources {
		c.resources = nil
	}
	for _, r := range c.resources {
		s := r.out.ScopeSpans[0]
		s.Spans = s.Spans[:0]
	}
}

func (c *converter) resource(r *spans.Resource) *tracepb.ResourceSpans {
	for _, known := range c.resources {
		if known.of == r {
			return known.out
		}
	}
	out := &tracepb.ResourceSpans{
		Resource:   &resourcepb.Resource{},
		ScopeSpans: []*tracepb.ScopeSpans{{Scope: c.scope, SchemaUrl: semconv.SchemaURL}},
		SchemaUrl:  semconv.SchemaURL,
	}
	if r != nil {
		out.Resource.Attributes = new(arena).attributes(nil, r.Attributes)
	}
	c.resources = append(c.resources, resourceSpans{r, out})
	return out
}

func (a *arena) span(t *spans.Trace, s *spans.Span) *tracepb.Span {
	p := a.spans.take()
	p.TraceId, p.SpanId, p.ParentSpanId = t.ID[:], s.ID[:], nil
	if !s.Parent.IsZero() {
		p.ParentSpanId = s.Parent[:]
	}
	p.Flags, p.TraceState = flags(t, s), valid(t.State)
	p.Name, p.Kind = valid(s.Name), kind(s.Kind)
	p.StartTimeUnixNano, p.EndTimeUnixNano = uint64(s.Start), uint64(s.End)
	p.Attributes = a.attributes(p.Attributes[:0], s.Attributes)
	p.Links = a.linksTo(p.Links[:0], s.Links)
	p.Status = nil
	if s.Error != "" {
		p.Status = &tracepb.Status{Code: tracepb.Status_STATUS_CODE_ERROR, Message: valid(s.Error)}
	}
	return p
}

// flags of a span. The id of an adopted trace is a producer's: nothing is known
// of how it was made; and the root's parent is a span of that producer.
func flags(t *spans.Trace, s *spans.Span) uint32 {
	switch {
	case !t.Adopted:
		return flagSampled | flagRandom | flagKnown
	case s == t.Root():
		return flagSampled | flagKnown | flagRemote
	}
	return flagSampled | flagKnown
}

func (a *arena) linksTo(out []*tracepb.Span_Link, links []spans.Link) []*tracepb.Span_Link {
	for i := range links {
		l := a.links.take()
		l.TraceId, l.SpanId = links[i].Trace[:], links[i].Span[:]
		l.Flags = flagKnown
		if links[i].Remote {
			l.Flags |= flagRemote
		}
		l.Attributes = a.attributes(l.Attributes[:0], links[i].Attributes)
		out = append(out, l)
	}
	return out
}

func kind(k spans.Kind) tracepb.Span_SpanKind {
	if k == spans.Server {
		return tracepb.Span_SPAN_KIND_SERVER
	}
	return tracepb.Span_SPAN_KIND_INTERNAL
}

// valid mends text from the wire: protobuf refuses a whole batch for one
// string that is not UTF-8.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
