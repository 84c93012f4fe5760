package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of opentelemetry/proto/common/v1.
const (
	keyValueKey, keyValueValue            = 1, 2
	anyString, anyBool, anyInt, anyDouble = 1, 2, 3, 4
	anyArray, arrayValues                 = 5, 1
)

// attributes appends one KeyValue an attribute, as a field of another message.
func attributes(b []byte, field protowire.Number, attrs []attribute.KeyValue) []byte {
	for i := range attrs {
		var at int
		b, at = begin(b, field)
		b = text(b, keyValueKey, string(attrs[i].Key))
		b = value(b, keyValueValue, attrs[i].Value)
		b = end(b, at)
	}
	return b
}

// value appends an AnyValue. Kinds that spans do not use are written as text.
func value(b []byte, field protowire.Number, v attribute.Value) []byte {
	switch v.Type() {
	case attribute.STRINGSLICE:
		return list(b, field, v.AsStringSlice(), anyText)
	case attribute.INT64SLICE:
		return list(b, field, v.AsInt64Slice(), anyNumber)
	}
	b, at := begin(b, field)
	switch v.Type() {
	case attribute.STRING:
		b = anyText(b, v.AsString())
	case attribute.INT64:
		b = anyNumber(b, v.AsInt64())
	case attribute.BOOL:
		b = number(b, anyBool, protowire.EncodeBool(v.AsBool()))
	case attribute.FLOAT64:
		b = double(b, anyDouble, v.AsFloat64())
	case attribute.EMPTY:
	default:
		b = anyText(b, v.String())
	}
	return end(b, at)
}

// What is in an AnyValue is there even if it is empty, or zero.

func anyText(b []byte, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, anyString, protowire.BytesType), valid(s))
}

func anyNumber(b []byte, n int64) []byte { return number(b, anyInt, uint64(n)) }

func list[T interface{ string | int64 }](b []byte, field protowire.Number, items []T, item func([]byte, T) []byte) []byte {
	b, outer := begin(b, field)
	b, array := begin(b, anyArray)
	for i := range items {
		var at int
		b, at = begin(b, arrayValues)
		b = item(b, items[i])
		b = end(b, at)
	}
	return end(end(b, array), outer)
}
