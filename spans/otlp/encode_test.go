package otlp

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/tailspan/tailspan/spans"
)

// decode reads a request by the generated messages.
func decode(t *testing.T, b []byte) []*tracepb.ResourceSpans {
	t.Helper()
	var req collectorpb.ExportTraceServiceRequest
	if err := proto.Unmarshal(b, &req); err != nil {
		t.Fatal(err)
	}
	if again, _ := proto.Marshal(&req); len(again) != len(b) {
		t.Errorf("%d bytes, marshalling makes %d", len(b), len(again))
	}
	return req.ResourceSpans
}

func TestEncode(t *testing.T) {
	tr := fiveSpans(7)
	tr.Spans[0].Error = "orders-3: NOT_LEADER_OR_FOLLOWER"
	e := newEncoder("1.2.3")
	for range 2 { // the second time with a resource that is known
		rs := decode(t, e.request(nil, []*spans.Trace{tr}))
		if len(rs) != 1 || len(rs[0].ScopeSpans) != 1 || len(rs[0].ScopeSpans[0].Spans) != 5 {
			t.Fatalf("grouping: %v", rs)
		}
		scope := rs[0].ScopeSpans[0].Scope
		if scope.Name != scopeName || scope.Version != "1.2.3" {
			t.Errorf("scope %v", scope)
		}
		for i, got := range rs[0].ScopeSpans[0].Spans {
			checkSpan(t, tr, &tr.Spans[i], got)
		}
	}
}

// The flags and the tracestate of a trace of its own, and of one that a
// producer began.
func TestEncodeContext(t *testing.T) {
	own, adopted := fiveSpans(1), fiveSpans(2)
	own.State = "ot=th:c"
	adopted.Adopted, adopted.State = true, "ot=th:0,vendor=x"
	adopted.Spans[0].Parent = spans.SpanID{1, 2, 3, 4, 5, 6, 7, 8}
	plain := fiveSpans(3)
	e := newEncoder("")
	for _, tt := range []struct {
		trace          *spans.Trace
		root, children uint32
	}{
		{own, 0x103, 0x103}, {adopted, 0x301, 0x101}, {plain, 0x103, 0x103},
	} {
		for i, got := range decode(t, e.request(nil, []*spans.Trace{tt.trace}))[0].ScopeSpans[0].Spans {
			want := tt.children
			if i == 0 {
				want = tt.root
			}
			if got.Flags != want {
				t.Errorf("%v, span %d: flags %#x, not %#x", tt.trace.ID, i, got.Flags, want)
			}
			checkSpan(t, tt.trace, &tt.trace.Spans[i], got)
		}
	}
}

func checkSpan(t *testing.T, tr *spans.Trace, want *spans.Span, got *tracepb.Span) {
	t.Helper()
	if !bytes.Equal(got.TraceId, tr.ID[:]) || !bytes.Equal(got.SpanId, want.ID[:]) || got.Name != want.Name ||
		got.StartTimeUnixNano != uint64(want.Start) || got.EndTimeUnixNano != uint64(want.End) {
		t.Errorf("%s: %v", want.Name, got)
	}
	if root := want.Parent.IsZero(); root != (got.ParentSpanId == nil) || !root && !bytes.Equal(got.ParentSpanId, want.Parent[:]) {
		t.Errorf("%s: parent %x", want.Name, got.ParentSpanId)
	}
	if server := want.Kind == spans.Server; server != (got.Kind == tracepb.Span_SPAN_KIND_SERVER) {
		t.Errorf("%s: kind %v", want.Name, got.Kind)
	}
	if got.TraceState != tr.State {
		t.Errorf("%s: tracestate %q", want.Name, got.TraceState)
	}
	if (want.Error != "") != (got.Status.GetCode() == tracepb.Status_STATUS_CODE_ERROR) || got.Status.GetMessage() != want.Error {
		t.Errorf("%s: status %v", want.Name, got.Status)
	}
	checkAttributes(t, want.Attributes, got.Attributes)
	if len(got.Links) != len(want.Links) {
		t.Fatalf("%s: %d links", want.Name, len(got.Links))
	}
	for i, l := range got.Links {
		if !bytes.Equal(l.TraceId, want.Links[i].Trace[:]) || !bytes.Equal(l.SpanId, want.Links[i].Span[:]) {
			t.Errorf("%s: link %v", want.Name, l)
		}
		checkAttributes(t, want.Links[i].Attributes, l.Attributes)
	}
}

func checkAttributes(t *testing.T, want []attribute.KeyValue, got []*commonpb.KeyValue) {
	t.Helper()
	if len(want) != len(got) {
		t.Fatalf("%d attributes, not %d", len(got), len(want))
	}
	for i, kv := range got {
		if kv.Key != string(want[i].Key) || !proto.Equal(kv.Value, plainly(want[i].Value)) {
			t.Errorf("attribute %v, not %v", kv, want[i])
		}
	}
}

// plainly converts a value the simple way.
func plainly(v attribute.Value) *commonpb.AnyValue {
	text := func(s string) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_StringValue{StringValue: s}}
	}
	number := func(n int64) *commonpb.AnyValue {
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_IntValue{IntValue: n}}
	}
	var items []*commonpb.AnyValue
	switch v.Type() {
	case attribute.BOOL:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_BoolValue{BoolValue: v.AsBool()}}
	case attribute.FLOAT64:
		return &commonpb.AnyValue{Value: &commonpb.AnyValue_DoubleValue{DoubleValue: v.AsFloat64()}}
	case attribute.INT64:
		return number(v.AsInt64())
	case attribute.STRING:
		return text(v.AsString())
	case attribute.STRINGSLICE:
		for _, s := range v.AsStringSlice() {
			items = append(items, text(s))
		}
	case attribute.INT64SLICE:
		for _, n := range v.AsInt64Slice() {
			items = append(items, number(n))
		}
	}
	return &commonpb.AnyValue{Value: &commonpb.AnyValue_ArrayValue{ArrayValue: &commonpb.ArrayValue{Values: items}}}
}

func TestEncodeKinds(t *testing.T) {
	attrs := []attribute.KeyValue{
		attribute.Bool("b", true), attribute.Bool("b", false), attribute.Float64("f", 1.5), attribute.Float64("f", 0),
		attribute.Int64("i", -1), attribute.Int64("i", 0), attribute.Int64("i", math.MinInt64), attribute.String("s", ""), attribute.String("", "s"),
		attribute.StringSlice("ss", nil), attribute.StringSlice("st", []string{"a", "", "b"}), attribute.Int64Slice("is", []int64{1, 0, -2}),
	}
	for _, n := range []int{110, 127, 128, 16300, 16384, 3_000_000} { // where a length takes more bytes
		attrs = append(attrs, attribute.String("long", strings.Repeat("x", n)), attribute.StringSlice("long", []string{strings.Repeat("y", n), "z"}))
	}
	tr := fiveSpans(1)
	tr.Spans[1].Attributes = attrs
	tr.Spans[1].Links = []spans.Link{{Trace: tr.ID, Attributes: attrs}, {Remote: true}}
	got := decode(t, newEncoder("").request(nil, []*spans.Trace{tr}))[0].ScopeSpans[0].Spans[1]
	checkSpan(t, tr, &tr.Spans[1], got)
	if got.Links[0].Flags != flagKnown || got.Links[1].Flags != flagKnown|flagRemote {
		t.Errorf("links' flags %#x, %#x", got.Links[0].Flags, got.Links[1].Flags)
	}
}

func TestNoText(t *testing.T) {
	tr := &spans.Trace{Spans: []spans.Span{{Start: 1, End: 2, Name: "\xff", Error: "\xfe", Attributes: []attribute.KeyValue{
		attribute.String("k\xff", "v\xff"), attribute.StringSlice("l", []string{"\xff"})}}}}
	got := decode(t, newEncoder("").request(nil, []*spans.Trace{tr}))[0].ScopeSpans[0].Spans[0]
	if got.Name != "\uFFFD" || got.Status.Message != "\uFFFD" || got.Attributes[0].Key != "k\uFFFD" ||
		got.Attributes[0].Value.GetStringValue() != "v\uFFFD" || got.Attributes[1].Value.GetArrayValue().Values[0].GetStringValue() != "\uFFFD" {
		t.Errorf("%v", got)
	}
}

func TestResourcesAreKeptApart(t *testing.T) {
	a, b, c := fiveSpans(1), fiveSpans(2), fiveSpans(3)
	b.Resource = &spans.Resource{Attributes: []attribute.KeyValue{attribute.String("service.name", "other")}}
	c.Resource = nil
	e := newEncoder("")
	rs := decode(t, e.request(nil, []*spans.Trace{a, b, c, a}))
	if len(rs) != 3 || len(rs[0].ScopeSpans[0].Spans) != 10 || len(rs[1].ScopeSpans[0].Spans) != 5 || len(rs[2].Resource.Attributes) != 0 {
		t.Fatalf("%v", rs)
	}
	for range 2 * maxResources { // more than are remembered
		fresh := fiveSpans(1)
		fresh.Resource = &spans.Resource{Attributes: a.Resource.Attributes}
		e.request(nil, []*spans.Trace{fresh})
	}
	if rs = decode(t, e.request(nil, []*spans.Trace{b})); len(rs) != 1 || rs[0].Resource.Attributes[0].Value.GetStringValue() != "other" {
		t.Errorf("%v", rs)
	}
	checkAttributes(t, b.Resource.Attributes, rs[0].Resource.Attributes)
	if len(e.resources) > maxResources {
		t.Errorf("%d resources are remembered", len(e.resources))
	}
}

// Requests one behind the other are one.
func TestRequestsJoin(t *testing.T) {
	e := newEncoder("1")
	a, b := []*spans.Trace{fiveSpans(1)}, []*spans.Trace{fiveSpans(2)}
	rs := decode(t, e.request(e.request(nil, a), b))
	if len(rs) != 2 || !bytes.Equal(rs[0].ScopeSpans[0].Spans[0].TraceId, a[0].ID[:]) || !bytes.Equal(rs[1].ScopeSpans[0].Spans[4].TraceId, b[0].ID[:]) {
		t.Errorf("%v", rs)
	}
}
