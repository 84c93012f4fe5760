package view

import (
	"slices"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// Slow is a slow request; names in it are as they came from the wire.
type Slow struct {
	Start            int64 // Unix ns
	Latency          time.Duration
	Partitions       []string // topic-partition
	Client           string   // its id, else its address
	Error            string
	Cause, RootCause string
	Reason           string // why the kernel let the root cause last; "": not known
	Holder           string // who held the lock that it waited for the longest; "": none, or not seen
	TraceID          string
}

// slowOf is what the request's own trace says of it.
func slowOf(t *spans.Trace) Slow {
	root := t.Root()
	s := Slow{
		Start: root.Start, Latency: time.Duration(root.End - root.Start), TraceID: t.ID.String(), Error: root.Error,
		Partitions: find(root, spans.KeyPartitions).AsStringSlice(), Client: text(root, spans.KeyClientID),
		Cause: text(root, spans.KeyCause), RootCause: text(root, spans.KeyRootCause), Reason: text(root, spans.KeyReason),
	}
	if s.Client == "" {
		s.Client = text(root, spans.KeyClientAddress) + ":" + strconv.FormatInt(find(root, spans.KeyClientPort).AsInt64(), 10)
	}
	var longest int64
	for i := range t.Spans {
		w := &t.Spans[i]
		if w.Name == spans.NameMonitorWait && w.End-w.Start > longest {
			longest, s.Holder = w.End-w.Start, text(w, spans.KeyHolder)
		}
	}
	return s
}

// find is an attribute's value, the zero one where there is none.
func find(s *spans.Span, key attribute.Key) attribute.Value {
	i := slices.IndexFunc(s.Attributes, func(kv attribute.KeyValue) bool { return kv.Key == key })
	if i < 0 {
		return attribute.Value{}
	}
	return s.Attributes[i].Value
}

func text(s *spans.Span, key attribute.Key) string { return find(s, key).AsString() }
