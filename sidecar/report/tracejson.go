package report

import (
	"math"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// The rows of --print traces.
type (
	traceLine struct {
		TraceID string     `json:"trace_id"`
		Spans   []spanLine `json:"spans"`
	}
	spanLine struct {
		SpanID     string         `json:"span_id"`
		ParentID   *string        `json:"parent_id"` // null: the root
		Name       string         `json:"name"`
		Kind       string         `json:"kind"`
		Start      int64          `json:"start_ns"`
		End        int64          `json:"end_ns"`
		Error      string         `json:"error,omitempty"`
		Attributes map[string]any `json:"attributes"`
		Links      []linkLine     `json:"links"`
	}
	linkLine struct {
		TraceID    string         `json:"trace_id"`
		SpanID     string         `json:"span_id"`
		Attributes map[string]any `json:"attributes"`
	}
)

func traceRow(t *spans.Trace) *traceLine {
	row := &traceLine{TraceID: t.ID.String(), Spans: make([]spanLine, len(t.Spans))}
	for i := range t.Spans {
		s := &t.Spans[i]
		line := spanLine{
			SpanID: s.ID.String(), Name: s.Name, Kind: s.Kind.String(),
			Start: s.Start, End: s.End, Error: s.Error,
			Attributes: values(s.Attributes), Links: make([]linkLine, len(s.Links)),
		}
		if !s.Parent.IsZero() {
			parent := s.Parent.String()
			line.ParentID = &parent
		}
		for j, l := range s.Links {
			line.Links[j] = linkLine{l.Trace.String(), l.Span.String(), values(l.Attributes)}
		}
		row.Spans[i] = line
	}
	return row
}

func values(attrs []attribute.KeyValue) map[string]any {
	m := make(map[string]any, len(attrs))
	for _, kv := range attrs {
		m[string(kv.Key)] = value(kv.Value)
	}
	return m
}

// value is what JSON can hold of an attribute's.
func value(v attribute.Value) any {
	switch v.Type() {
	case attribute.FLOAT64:
		if f := v.AsFloat64(); math.IsNaN(f) || math.IsInf(f, 0) {
			return v.String()
		}
	case attribute.BOOL, attribute.INT64, attribute.STRING:
	case attribute.STRINGSLICE:
		return orEmpty(v.AsStringSlice())
	case attribute.INT64SLICE:
		return orEmpty(v.AsInt64Slice())
	default:
		return v.String()
	}
	return v.AsInterface()
}
