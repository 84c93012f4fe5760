package sample

import (
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// stub is what a request's summary says, but for its id, which the ring has:
// 96 bytes, 128 with the ring's. Its strings are others' too: names of topics,
// of roots, of causes.
type stub struct {
	resource    *spans.Resource
	name, topic string
	cause, root spans.Cause
	start       int64
	latency     time.Duration
	kind        spans.Kind
	failed      bool
	lost        mark
}

func (st *stub) set(sum *spans.Summary, lost mark) {
	*st = stub{
		resource: sum.Resource, name: sum.Name, topic: sum.Topic, cause: sum.Cause, root: sum.RootCause,
		start: sum.Start, latency: sum.Latency, kind: sum.Kind, failed: sum.Failed, lost: lost,
	}
}

// trace is one root span, with the id that it would have had, so that a link to
// a trace that is gone has an end. A link to an inner span finds the trace only.
func (st *stub) trace(id spans.TraceID) *spans.Trace {
	root := spans.Span{ID: id.Child(spans.NameProduce), Name: st.name, Kind: st.kind, Start: st.start, End: st.start + int64(st.latency)}
	root.Attributes = append(root.Attributes, attribute.Bool(spans.KeyStub, true))
	for _, a := range [...]struct{ key, value string }{
		{spans.KeyDestination, st.topic},
		{spans.KeyCause, string(st.cause)},
		{spans.KeyRootCause, string(st.root)},
	} {
		if a.value != "" {
			root.Attributes = append(root.Attributes, attribute.String(a.key, a.value))
		}
	}
	if st.failed {
		root.Error = "failed"
	}
	return &spans.Trace{ID: id, Resource: st.resource, Request: true, Spans: []spans.Span{root}}
}
