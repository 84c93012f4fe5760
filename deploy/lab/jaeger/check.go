package jaeger

import (
	"context"
	"fmt"
)

// rounding is what an end may be off by: the API cuts start and duration to
// whole microseconds, each downwards.
const rounding = 2

// Check says what is wrong with a trace in itself: a span outside its parent,
// a parent that is missing, no root or several, a warning of Jaeger's own (a
// clock skew, for one).
func (t *Trace) Check() []error {
	var wrong []error
	bad := func(s *Span, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("trace %s span %s (%s): %s", t.ID, s.ID, s.Name, fmt.Sprintf(format, args...)))
	}
	roots := 0
	for i := range t.Spans {
		s := &t.Spans[i]
		for _, w := range s.Warnings {
			bad(s, "warning: %s", w)
		}
		id := s.Parent()
		if id == "" {
			roots++
			continue
		}
		switch p := t.Span(id); {
		case p == nil:
			bad(s, "parent %s is missing", id)
		case s.Start < p.Start:
			bad(s, "begins %d µs before its parent", p.Start-s.Start)
		case s.End() > p.End()+rounding:
			bad(s, "ends %d µs after its parent", s.End()-p.End())
		}
	}
	if roots != 1 {
		wrong = append(wrong, fmt.Errorf("trace %s has %d roots", t.ID, roots))
	}
	return wrong
}

// CheckLinks says which links of the trace lead nowhere.
func (c Client) CheckLinks(ctx context.Context, t *Trace) []error {
	var wrong []error
	for i := range t.Spans {
		for _, l := range t.Spans[i].Links() {
			if _, err := c.Follow(ctx, l); err != nil {
				wrong = append(wrong, fmt.Errorf("link of trace %s span %s: %w", t.ID, t.Spans[i].ID, err))
			}
		}
	}
	return wrong
}

// Follow finds the span at the end of a link, with its trace.
func (c Client) Follow(ctx context.Context, r Reference) (*Linked, error) {
	t, err := c.Trace(ctx, r.TraceID)
	if err != nil {
		return nil, err
	}
	s := t.Span(r.SpanID)
	if s == nil {
		return nil, fmt.Errorf("trace %s has no span %s", r.TraceID, r.SpanID)
	}
	return &Linked{Trace: t, Span: s}, nil
}

// Linked is a span within its trace.
type Linked struct {
	Trace *Trace
	Span  *Span
}
