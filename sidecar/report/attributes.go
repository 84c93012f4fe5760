package report

import "go.opentelemetry.io/otel/attribute"

// find is an attribute of a span or link, if it has it; the functions below give
// what is missing as zero.
func find(attrs []attribute.KeyValue, key string) (attribute.Value, bool) {
	for i := range attrs {
		if string(attrs[i].Key) == key {
			return attrs[i].Value, true
		}
	}
	return attribute.Value{}, false
}

func text(a []attribute.KeyValue, key string) string {
	v, _ := find(a, key)
	return v.AsString()
}

func number(a []attribute.KeyValue, key string) int64 {
	v, _ := find(a, key)
	return v.AsInt64()
}

func truth(a []attribute.KeyValue, key string) bool {
	v, _ := find(a, key)
	return v.AsBool()
}

func strs(a []attribute.KeyValue, key string) []string {
	v, _ := find(a, key)
	return v.AsStringSlice()
}

func nums(a []attribute.KeyValue, key string) []int64 {
	v, _ := find(a, key)
	return v.AsInt64Slice()
}
