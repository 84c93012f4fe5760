package otlp

import (
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"go.opentelemetry.io/otel/attribute"
)

// arena is where a batch's messages live. They are handed out again for the
// next batch: whoever takes one sets every field that is ever set.
type arena struct {
	spans   slab[tracepb.Span]
	links   slab[tracepb.Span_Link]
	pairs   slab[commonpb.KeyValue]
	values  slab[commonpb.AnyValue]
	strings slab[commonpb.AnyValue_StringValue]
	ints    slab[commonpb.AnyValue_IntValue]
	arrays  slab[array]
}

// array is an array value with its wrapper.
type array struct {
	value commonpb.ArrayValue
	is    commonpb.AnyValue_ArrayValue
}

func (a *arena) reset() {
	a.spans.reset()
	a.links.reset()
	a.pairs.reset()
	a.values.reset()
	a.strings.reset()
	a.ints.reset()
	a.arrays.reset()
}

func (a *arena) attributes(out []*commonpb.KeyValue, attrs []attribute.KeyValue) []*commonpb.KeyValue {
	for i := range attrs {
		kv := a.pairs.take()
		kv.Key = valid(string(attrs[i].Key))
		kv.Value = a.value(attrs[i].Value)
		out = append(out, kv)
	}
	return out
}

// value converts the kinds that spans use in place; others are written as text.
func (a *arena) value(v attribute.Value) *commonpb.AnyValue {
	switch v.Type() {
	case attribute.STRING:
		return a.text(v.AsString())
	case attribute.INT64:
		return a.number(v.AsInt64())
	case attribute.BOOL:
		out := a.values.take()
		out.Value = &commonpb.AnyValue_BoolValue{BoolValue: v.AsBool()}
		return out
	case attribute.FLOAT64:
		out := a.values.take()
		out.Value = &commonpb.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}
		return out
	case attribute.STRINGSLICE:
		return list(a, v.AsStringSlice(), a.text)
	case attribute.INT64SLICE:
		return list(a, v.AsInt64Slice(), a.number)
	case attribute.EMPTY:
		out := a.values.take()
		out.Value = nil
		return out
	}
	return a.text(v.String())
}

func (a *arena) text(s string) *commonpb.AnyValue {
	w := a.strings.take()
	w.StringValue = valid(s)
	v := a.values.take()
	v.Value = w
	return v
}

func (a *arena) number(n int64) *commonpb.AnyValue {
	w := a.ints.take()
	w.IntValue = n
	v := a.values.take()
	v.Value = w
	return v
}

func list[T any](a *arena, items []T, convert func(T) *commonpb.AnyValue) *commonpb.AnyValue {
	w := a.arrays.take()
	w.value.Values = w.value.Values[:0]
	for _, item := range items {
		w.value.Values = append(w.value.Values, convert(item))
	}
	w.is.ArrayValue = &w.value
	v := a.values.take()
	v.Value = &w.is
	return v
}

const (
	slabChunk = 64
	maxChunks = 1024 // kept for the next batch; a larger one gives its memory back
)

// slab hands out items at addresses that stay, and takes all back at once.
type slab[T any] struct {
	chunks [][]T
	used   int
}

func (s *slab[T]) take() *T {
	if s.used == len(s.chunks)*slabChunk {
		s.chunks = append(s.chunks, make([]T, slabChunk))
	}
	item := &s.chunks[s.used/slabChunk][s.used%slabChunk]
	s.used++
	return item
}

func (s *slab[T]) reset() {
	if s.used = 0; len(s.chunks) > maxChunks {
		s.chunks = nil
	}
}
