package spans

import "go.opentelemetry.io/otel/attribute"

// Kind is OpenTelemetry's span kind, as far as it is used here.
type Kind uint8

const (
	Internal Kind = iota
	Server
)

// String is the name used in jsonl output.
func (k Kind) String() string {
	if k == Server {
		return "server"
	}
	return "internal"
}

// Trace is one whole trace: the root first, children after their parents.
type Trace struct {
	ID       TraceID
	Resource *Resource
	Spans    []Span
}

// Root is the trace's first span.
func (t *Trace) Root() *Span { return &t.Spans[0] }

// Span is one timed step. Start and End are Unix nanoseconds; a child lies
// inside its parent.
type Span struct {
	ID, Parent SpanID // Parent is zero in the root
	Name       string
	Kind       Kind
	Start, End int64
	Error      string // not empty: the span's status is Error, with this text
	Attributes []attribute.KeyValue
	Links      []Link
}

// Link leads to a span of another trace.
type Link struct {
	Trace      TraceID
	Span       SpanID
	Remote     bool // somebody else's: not a trace of a Tailspan
	Attributes []attribute.KeyValue
}

// Resource is who the spans are about: one broker process. It is shared by
// all its traces and never changed.
type Resource struct {
	Attributes []attribute.KeyValue
}
