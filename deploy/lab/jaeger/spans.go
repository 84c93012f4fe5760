package jaeger

import (
	"fmt"
	"strings"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// Convert turns Jaeger's answer back into spans, the root first, to the
// microsecond.
func (t *Trace) Convert() (*spans.Trace, error) {
	root := t.Root()
	if root == nil {
		return nil, fmt.Errorf("trace %s has no root", t.ID)
	}
	out := &spans.Trace{Spans: make([]spans.Span, 0, len(t.Spans))}
	if err := parseTraceID(&out.ID, t.ID); err != nil {
		return nil, err
	}
	if err := root.append(out); err != nil {
		return nil, err
	}
	for i := range t.Spans {
		if s := &t.Spans[i]; s != root {
			if err := s.append(out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// parseTraceID reads an id that Jaeger may have cut to its lower half: it does
// so where the upper one is zero.
func parseTraceID(id *spans.TraceID, text string) error {
	if len(text) == len(id) {
		text = strings.Repeat("0", len(id)) + text
	}
	return tailspan.ParseID(id[:], text)
}

func (s *Span) append(t *spans.Trace) error {
	o := spans.Span{Name: s.Name, Start: s.Start * 1000, End: s.End() * 1000}
	if s.Tag("span.kind") == spans.Server.String() {
		o.Kind = spans.Server
	}
	if err := tailspan.ParseID(o.ID[:], s.ID); err != nil {
		return err
	}
	if p := s.Parent(); p != "" {
		if err := tailspan.ParseID(o.Parent[:], p); err != nil {
			return err
		}
	}
	for _, tag := range s.Tags {
		o.Attributes = append(o.Attributes, tailspan.Attribute(tag.Key, tag.Value))
	}
	for _, r := range s.Links() {
		var l spans.Link
		if err := parseTraceID(&l.Trace, r.TraceID); err != nil {
			return err
		}
		if err := tailspan.ParseID(l.Span[:], r.SpanID); err != nil {
			return err
		}
		o.Links = append(o.Links, l)
	}
	t.Spans = append(t.Spans, o)
	return nil
}
