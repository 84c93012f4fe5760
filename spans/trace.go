package spans

import (
	"time"

	"go.opentelemetry.io/otel/attribute"
)

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

	// Request says that it is a client's request, as Summary does.
	Request bool
	// Adopted says that the root has a parent: the span of a producer, whose
	// trace this is a part of.
	Adopted bool
	// State is the W3C tracestate of all spans: "ot=th:…" says with what
	// probability the trace was kept, so that whoever counts spans can count
	// what was dropped too; "" where that is not known.
	State string
	// Places are where its records are in the log.
	Places []Place
}

// Place is one batch in the log of a partition: the offsets from Base to Last.
type Place struct {
	Topic      string
	Partition  int32
	Base, Last int64
}

// Summary is what is known of a trace that may never be built. It is small,
// for it may have to stand for the trace.
type Summary struct {
	ID               TraceID
	Resource         *Resource
	Name             string        // of the root
	Kind             Kind          // of the root
	Topic            string        // of a request with one topic; else ""
	Start            int64         // Unix ns
	Latency          time.Duration // of the root
	Cause, RootCause Cause
	Failed           bool // the root's status is Error
	// Request says that it is a client's request; only these are kept for how
	// long they took. What else there is (a commit, a write of nobody's) is
	// kept only where something links to it.
	Request bool
	// Explains says that others waited for what is in it, so that a link to it
	// is worth the whole of it.
	Explains bool
}

// End is Unix ns.
func (s *Summary) End() int64 { return s.Start + int64(s.Latency) }

// Root is the trace's first span.
func (t *Trace) Root() *Span { return &t.Spans[0] }

// Span is one timed step. Start and End are Unix nanoseconds; a child lies
// inside its parent.
type Span struct {
	ID, Parent SpanID // Parent is zero in the root, unless it is adopted
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
