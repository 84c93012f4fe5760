package page

import (
	"encoding/json"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

// traceBudget is how many bytes of a page its traces may take.
const traceBudget = 6 << 20

// Trace is one kept trace. What is text is an index into the page's Strings.
type Trace struct {
	ID    string     `json:"id"`
	Slow  bool       `json:"slow"` // it is a slow request; else one links to it
	About []int      `json:"about"`
	Spans []SpanData `json:"spans"`
}

// SpanData is one span; the root is the first.
type SpanData struct {
	Parent int        `json:"p"` // -1: none
	Name   int        `json:"n"`
	Start  int64      `json:"s"`
	NS     int64      `json:"d"`
	Error  int        `json:"e,omitempty"` // plus one
	Facts  []int      `json:"f,omitempty"`
	Values []any      `json:"a,omitempty"` // key and value by turns: a text is [index], a list {"l": …}
	Links  []LinkData `json:"l,omitempty"`
}

// LinkData is where a link leads: a trace's id, the number of a span of it (-1
// where the trace is not in the page), and the kind.
type LinkData struct {
	Trace int `json:"t"`
	Span  int `json:"s"`
	Kind  int `json:"k"`
}

// encoder makes traces of one page.
type encoder struct {
	origin  int64
	strings []string
	index   map[string]int
	bytes   int
	kept    map[spans.TraceID]*spans.Trace // those that links may lead to
}

func newEncoder(origin int64, kept map[spans.TraceID]*spans.Trace) *encoder {
	return &encoder{origin: origin, index: map[string]int{}, kept: kept, strings: []string{}}
}

// text is the index of a text.
func (e *encoder) text(s string) int {
	i, ok := e.index[s]
	if !ok {
		i = len(e.strings)
		e.index[s] = i
		e.strings = append(e.strings, s)
		e.bytes += len(s) + 3
	}
	return i
}

func (e *encoder) trace(t *spans.Trace, slow bool) Trace {
	out := Trace{ID: t.ID.String(), Slow: slow, Spans: make([]SpanData, len(t.Spans)), About: []int{}}
	for _, fact := range report.About(t.Root()) {
		out.About = append(out.About, e.text(short(fact)))
	}
	at := make(map[spans.SpanID]int, len(t.Spans))
	for i := range t.Spans {
		s := &t.Spans[i]
		at[s.ID] = i
		parent, ok := at[s.Parent]
		if !ok {
			parent = min(i, 1) - 1 // of the root none; of what has lost its own, the root
		}
		out.Spans[i] = e.span(s, parent)
	}
	if b, err := json.Marshal(out); err == nil {
		e.bytes += len(b)
	}
	return out
}

func (e *encoder) span(s *spans.Span, parent int) SpanData {
	out := SpanData{Parent: parent, Name: e.text(text(s.Name)), Start: s.Start - e.origin, NS: s.End - s.Start}
	if s.Error != "" {
		out.Error = e.text(text(s.Error)) + 1
	}
	for _, fact := range report.Facts(s) {
		out.Facts = append(out.Facts, e.text(short(fact)))
	}
	for _, kv := range s.Attributes {
		out.Values = append(out.Values, e.text(string(kv.Key)), e.value(kv.Value))
	}
	for i := range s.Links {
		out.Links = append(out.Links, e.link(&s.Links[i]))
	}
	return out
}

func (e *encoder) value(v attribute.Value) any {
	switch v.Type() {
	case attribute.STRING:
		return [1]int{e.text(lines(v.AsString()))}
	case attribute.STRINGSLICE:
		all := []int{}
		for _, s := range v.AsStringSlice() {
			all = append(all, e.text(text(s)))
		}
		return map[string]any{"t": all}
	case attribute.INT64SLICE:
		return map[string]any{"l": v.AsInt64Slice()}
	}
	return report.AttributeValue(v)
}

func (e *encoder) link(l *spans.Link) LinkData {
	out := LinkData{Trace: e.text(l.Trace.String()), Span: -1, Kind: -1}
	for _, kv := range l.Attributes {
		if kv.Key == spans.KeyLinkKind {
			out.Kind = e.text(text(kv.Value.AsString()))
		}
	}
	if t := e.kept[l.Trace]; t != nil {
		out.Span = 0
		for i := range t.Spans {
			if t.Spans[i].ID == l.Span {
				out.Span = i
			}
		}
	}
	return out
}
