package otlp

import (
	"slices"

	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
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

	maxResources = 64 // encoded resources remembered
)

// Fields of opentelemetry/proto: collector/trace/v1, resource/v1, common/v1
// and trace/v1.
const (
	requestResourceSpans = 1

	groupResource, groupScopes, groupSchema = 1, 2, 3
	resourceAttributes                      = 1

	scopeSpansScope, scopeSpansSpans, scopeSpansSchema = 1, 2, 3
	fieldScopeName, fieldScopeVersion                  = 1, 2

	spanTrace, spanID, spanState, spanParent, spanName, spanKind         = 1, 2, 3, 4, 5, 6
	spanStart, spanEnd, spanAttributes, spanLinks, spanStatus, spanFlags = 7, 8, 9, 13, 15, 16
	linkTrace, linkSpan, linkAttributes, linkFlags                       = 1, 2, 4, 6
	statusMessage, statusCode                                            = 2, 3
)

// encoder writes traces as OTLP. It does what marshalling the generated
// messages does in a fifth of the time, which is most of what exporting takes;
// tests read what it writes with them.
type encoder struct {
	scope     []byte            // as a field of ScopeSpans
	resources []encodedResource // of late, as a field of ResourceSpans
	found     []*spans.Resource // of a batch
}

type encodedResource struct {
	of    *spans.Resource
	bytes []byte
}

func newEncoder(version string) *encoder {
	b, at := begin(nil, scopeSpansScope)
	b = text(text(b, fieldScopeName, scopeName), fieldScopeVersion, version)
	return &encoder{scope: end(b, at)}
}

// request appends an ExportTraceServiceRequest of traces, grouped by their
// resource. One behind the other, two of these are one of both.
func (e *encoder) request(b []byte, traces []*spans.Trace) []byte {
	e.found = e.found[:0]
	for _, t := range traces {
		if !slices.Contains(e.found, t.Resource) {
			e.found = append(e.found, t.Resource)
		}
	}
	for _, r := range e.found {
		b = e.group(b, r, traces)
	}
	return b
}

// group appends those of the traces that have a resource.
func (e *encoder) group(b []byte, r *spans.Resource, traces []*spans.Trace) []byte {
	b, group := begin(b, requestResourceSpans)
	b = append(b, e.resource(r)...)
	b, scope := begin(b, groupScopes)
	b = append(b, e.scope...)
	for _, t := range traces {
		if t.Resource != r {
			continue
		}
		for i := range t.Spans {
			b = span(b, t, &t.Spans[i])
		}
	}
	b = end(text(b, scopeSpansSchema, semconv.SchemaURL), scope)
	return end(text(b, groupSchema, semconv.SchemaURL), group)
}

func (e *encoder) resource(r *spans.Resource) []byte {
	for i := range e.resources {
		if e.resources[i].of == r {
			return e.resources[i].bytes
		}
	}
	b, at := begin(nil, groupResource)
	if r != nil {
		b = attributes(b, resourceAttributes, r.Attributes)
	}
	if len(e.resources) == maxResources {
		e.resources = nil
	}
	b = end(b, at)
	e.resources = append(e.resources, encodedResource{r, b})
	return b
}

func span(b []byte, t *spans.Trace, s *spans.Span) []byte {
	b, at := begin(b, scopeSpansSpans)
	b = octets(b, spanTrace, t.ID[:])
	b = octets(b, spanID, s.ID[:])
	b = text(b, spanState, t.State)
	if !s.Parent.IsZero() {
		b = octets(b, spanParent, s.Parent[:])
	}
	b = text(b, spanName, s.Name)
	b = number(b, spanKind, kind(s.Kind))
	b = fixed64(b, spanStart, uint64(s.Start))
	b = fixed64(b, spanEnd, uint64(s.End))
	b = attributes(b, spanAttributes, s.Attributes)
	for i := range s.Links {
		b = link(b, &s.Links[i])
	}
	if s.Error != "" {
		b = failed(b, s.Error)
	}
	return end(fixed32(b, spanFlags, flags(t, s)), at)
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

func link(b []byte, l *spans.Link) []byte {
	flags := flagKnown
	if l.Remote {
		flags |= flagRemote
	}
	b, at := begin(b, spanLinks)
	b = octets(b, linkTrace, l.Trace[:])
	b = octets(b, linkSpan, l.Span[:])
	b = attributes(b, linkAttributes, l.Attributes)
	return end(fixed32(b, linkFlags, flags), at)
}

func failed(b []byte, message string) []byte {
	b, at := begin(b, spanStatus)
	b = text(b, statusMessage, message)
	return end(number(b, statusCode, uint64(tracepb.Status_STATUS_CODE_ERROR)), at)
}

func kind(k spans.Kind) uint64 {
	if k == spans.Server {
		return uint64(tracepb.Span_SPAN_KIND_SERVER)
	}
	return uint64(tracepb.Span_SPAN_KIND_INTERNAL)
}
