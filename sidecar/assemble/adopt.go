package assemble

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// Where it is asked for, a request all of whose records carry one sampled trace
// context is a part of that trace: its root has the producer's span as parent.
// Several requests may be parts of one trace, so the ids of their spans are not
// made of that trace's id, but of the one that each would have had.

// ids are a trace's own, and the one that those of its spans are made of.
type ids struct{ trace, seed spans.TraceID }

func (x ids) IsZero() bool { return x.trace.IsZero() }

// alone is a trace that is no producer's.
func alone(id spans.TraceID) ids { return ids{id, id} }

// ids are those that others link by: final when the request is settled.
func (r *request) ids() ids {
	if r.asked {
		r.early = true
	}
	x := alone(r.ownID())
	if c, ok := r.parent(); ok {
		x.trace = c.TraceID
	}
	return x
}

// traceID is the id of the trace that the request is in.
func (r *request) traceID() spans.TraceID { return r.ids().trace }

// parent is the span of the producer that the request is a part of. It is known
// as the request comes; of an append, whose headers are read later, only if
// nobody had to be told of its trace before.
func (r *request) parent() (c event.TraceContext, ok bool) {
	e := r.ev
	if !r.a.o.AdoptParent || !e.ContextShared || e.HeadersCut || r.early || len(e.Contexts) != 1 || e.ContextsOmitted != 0 {
		return c, false
	}
	c = e.Contexts[0]
	return c, c.Flags&kafka.Sampled != 0
}

// adopt makes a built trace a part of its producer's.
func (r *request) adopt(t *spans.Trace) {
	if c, ok := r.parent(); ok {
		t.ID, t.Adopted, t.Root().Parent = c.TraceID, true, c.SpanID
	}
}

// settledID says that the request has ended, and with that what its trace is.
func (r *request) settledID() bool { return r.closed != 0 && !(r.asked && r.a.o.AdoptParent) }
