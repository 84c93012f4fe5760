package assemble

import (
	"slices"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// fromLog is a script of a broker whose appends' headers are read; asked are
// the writes that they were asked of.
func fromLog(t testing.TB) (s *script, asked *[]*event.Write) {
	s, asked = encrypted(t), new([]*event.Write)
	s.o.Identity = func(int32) Identity { return Identity{Cluster: "cluster", Encrypted: true, HeadersFromLog: true} }
	s.o.ReadHeaders = func(w *event.Write) { *asked = append(*asked, w) }
	return s, asked
}

func headersOf(w *event.Write, at event.Time) *event.AppendHeaders {
	return &event.AppendHeaders{Time: at, PID: w.PID, File: w.File, Offset: w.Offset}
}

// The record headers of an append come while it lingers; where they do not, or
// too late, it says so.
func TestAppendHeaders(t *testing.T) {
	s, asked := fromLog(t)
	read, never, late, some := aHandlersWrite(5, t0, t0+ms, 10), aHandlersWrite(5, t0+2*ms, t0+3*ms, 12),
		aHandlersWrite(5, t0+4*ms, t0+5*ms, 14), aHandlersWrite(5, t0+6*ms, t0+7*ms, 16)
	told, cut, other := headersOf(read, t0+800*ms), headersOf(some, t0+900*ms), headersOf(never, t0+800*ms)
	told.MessageIDs, told.ContextsOmitted = []string{"m-1", "m-2"}, 3
	told.Contexts = []event.TraceContext{{TraceID: [16]byte{1}, SpanID: [8]byte{2}}}
	cut.HeadersCut, cut.MessageIDs = true, []string{"m-3"}
	other.PID++
	s.play(read, never, late, some, told, cut, other, headersOf(late, t0+linger+patience+linger))
	if !slices.Equal(*asked, []*event.Write{read, never, late, some}) {
		t.Errorf("asked of %v", *asked)
	}
	root := func(base int64) *spans.Span {
		t.Helper()
		tr := s.traces[spans.PlaceID("cluster", [16]byte{}, "orders", 3, base)]
		if tr == nil {
			t.Fatalf("no trace at %d", base)
		}
		return tr.Root()
	}
	r := root(10)
	ids, _ := attributeOf(r, spans.KeyMessageIDs).([]string)
	if !slices.Equal(ids, told.MessageIDs) || attributeOf(r, spans.KeyContextsOmitted) != int64(3) || attributeOf(r, spans.KeyHeadersCut) != nil ||
		len(r.Links) != 1 || r.Links[0].Trace != told.Contexts[0].TraceID || r.Links[0].Span != told.Contexts[0].SpanID {
		t.Errorf("%v, links %v", r.Attributes, r.Links)
	}
	for _, base := range []int64{12, 14} {
		if r := root(base); attributeOf(r, spans.KeyHeadersCut) != true || attributeOf(r, spans.KeyMessageIDs) != nil {
			t.Errorf("%d: %v", base, r.Attributes)
		}
	}
	if r := root(16); attributeOf(r, spans.KeyHeadersCut) != true || len(attributeOf(r, spans.KeyMessageIDs).([]string)) != 1 {
		t.Errorf("16: %v", r.Attributes)
	}
	if st := s.Stats(); st.Appends != 4 || st.AppendsCut != 3 || len(s.asked) != 0 {
		t.Errorf("%d are still asked for, %+v", len(s.asked), st)
	}
}

// However many appends there are, and no answer, few are waited for.
func TestAskedAreBounded(t *testing.T) {
	s, asked := fromLog(t)
	for i := range int64(2 * maxAsked) {
		at := t0 + event.Time(i)*us
		s.Handle(aHandlersWrite(5, at, at+1, i))
	}
	s.Tick(t0 + linger)
	if len(*asked) != maxAsked || len(s.asked) != maxAsked {
		t.Errorf("asked for %d, %d waited for", len(*asked), len(s.asked))
	}
	s.Close()
	if st := s.Stats(); st.Appends != 2*maxAsked || st.AppendsCut != 2*maxAsked || len(s.asked) != 0 {
		t.Errorf("%d are still waited for, %+v", len(s.asked), st)
	}
}
