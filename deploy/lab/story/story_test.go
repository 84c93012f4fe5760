package story

import (
	"testing"

	"github.com/tailspan/tailspan/spans"
)

const ms = 1_000_000

func id(b byte) spans.SpanID { return spans.SpanID{b} }

func span(n, parent byte, name string, start, end int64) spans.Span {
	s := spans.Span{ID: id(n), Name: name, Start: start * ms, End: end * ms}
	if parent != 0 {
		s.Parent = id(parent)
	} else {
		s.Kind = spans.Server
	}
	return s
}

func direct() *spans.Trace {
	return &spans.Trace{ID: spans.TraceID{1}, Spans: []spans.Span{
		span(1, 0, "produce orders", 0, 500),
		span(2, 1, "append orders-0", 1, 499),
		span(3, 2, spans.NameWrite, 2, 499),
		span(4, 3, spans.NameExt4DirtyInode, 2, 498),
		span(5, 4, spans.NameJBD2Commit, 3, 498),
	}}
}

func cascade() *spans.Trace {
	t := &spans.Trace{ID: spans.TraceID{2}, Spans: []spans.Span{
		span(1, 0, "produce orders", 1, 501),
		span(2, 1, "append orders-0", 2, 501),
		span(3, 2, spans.NameMonitorWait, 3, 499),
		span(4, 2, spans.NameWrite, 499, 500),
	}}
	t.Spans[2].Links = []spans.Link{{Trace: spans.TraceID{1}, Span: id(3)}}
	return t
}

func resolver(ts ...*spans.Trace) Resolve {
	return func(id spans.TraceID) *spans.Trace {
		for _, t := range ts {
			if t.ID == id {
				return t
			}
		}
		return nil
	}
}

func TestDirect(t *testing.T) {
	if d := FindDirect(direct()); d == nil || d.Commit.ID != id(5) {
		t.Fatalf("not recognised: %+v", d)
	}
	short := direct()
	short.Spans[4].Start = 100 * ms
	if FindDirect(short) != nil {
		t.Error("a commit of four fifths was taken for most of it")
	}
	if FindDirect(cascade()) != nil {
		t.Error("a wait was taken for a write")
	}
}

func TestCascade(t *testing.T) {
	if c := FindCascade(cascade(), resolver(direct())); c == nil || c.Write.ID != id(3) || c.Commit.ID != id(5) {
		t.Fatalf("not recognised: %+v", c)
	}
	if FindCascade(cascade(), resolver()) != nil {
		t.Error("a link that leads nowhere was followed")
	}
	slow := cascade()
	slow.Spans[3].Start = 490 * ms
	if FindCascade(slow, resolver(direct())) != nil {
		t.Error("a write of ten milliseconds was called quick")
	}
	none := direct()
	none.Spans = none.Spans[:4]
	if FindCascade(cascade(), resolver(none)) != nil {
		t.Error("a holder without a commit was accepted")
	}
}

// TestCascadeThroughAWaiter: the holder waited for the lock itself.
func TestCascadeThroughAWaiter(t *testing.T) {
	middle := cascade()
	last := cascade()
	last.ID = spans.TraceID{3}
	last.Spans[2].Links = []spans.Link{{Trace: middle.ID, Span: id(3)}}
	if c := FindCascade(last, resolver(direct(), middle)); c == nil || c.Holder.ID != (spans.TraceID{1}) {
		t.Errorf("not followed: %+v", c)
	}
}
