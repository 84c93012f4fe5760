package assemble

import (
	"slices"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func spanAt(t *testing.T, s *spans.Span, from, to event.Time) {
	t.Helper()
	if s.Start != int64(from) || s.End != int64(to) {
		t.Errorf("%s is %d..%d, want %d..%d", s.Name, s.Start, s.End, from, to)
	}
}

// A pipelined request waits in the socket while the broker works on the one
// before it, which is what made it slow.
func TestPipelined(t *testing.T) {
	s := newScript(t)
	second := aResponse(2, t0+120*ms, 12)
	second.Before = t0 + 101*ms + us
	s.play(aRequest(1, t0, 1, 11), aRequest(2, t0+ms, 1, 12),
		aWrite(5, t0+2*ms, t0+100*ms, 10, 11), aResponse(1, t0+101*ms, 10),
		aWrite(6, t0+110*ms, t0+111*ms, 12, 12), second)
	tr := s.trace(2)
	wait := s.span(tr, spans.NameSocket)
	spanAt(t, wait, t0+ms+10*us, t0+101*ms+us)
	spanAt(t, s.span(tr, spans.NameQueue), t0+101*ms+us, t0+110*ms)
	if len(wait.Links) != 1 || wait.Links[0].Trace != s.trace(1).ID || wait.Links[0].Span != s.trace(1).Root().ID {
		t.Errorf("links %v, want the request before", wait.Links)
	}
	if r := s.requests[1]; r.Cause != "socket.wait" || r.RootCause != "fs.write" || r.Readable != int64(t0+101*ms+us) {
		t.Errorf("cause %q, root cause %q, readable at %d", r.Cause, r.RootCause, r.Readable)
	}
}

// What a thread began to wait for while the broker could not yet read the request
// is not the request's, even if it writes for it next.
func TestPipelinedWaitBefore(t *testing.T) {
	s := newScript(t)
	second := aResponse(2, t0+120*ms, 12)
	second.Before = t0 + 101*ms + us
	s.play(slices.Concat(
		[]event.Event{aRequest(1, t0, 1, 11), aRequest(2, t0+ms, 1, 12), aWrite(5, t0+2*ms, t0+100*ms, 10, 11), aResponse(1, t0+101*ms, 10)},
		aWait(6, t0+50*ms, t0+105*ms), aWait(6, t0+107*ms, t0+108*ms),
		[]event.Event{aWrite(6, t0+110*ms, t0+111*ms, 12, 12), second})...)
	tr := s.trace(2)
	spanAt(t, s.span(tr, spans.NameQueue), t0+101*ms+us, t0+107*ms)
	spanAt(t, s.span(tr, spans.NameMonitorWait), t0+107*ms, t0+108*ms)
}

// Where the response before is seen late, what the request's own write shows counts.
func TestPipelinedSeenLate(t *testing.T) {
	s := newScript(t)
	second := aResponse(2, t0+120*ms, 12)
	second.Before = t0 + 101*ms + us
	s.play(slices.Concat(
		[]event.Event{aRequest(1, t0, 1, 11), aRequest(2, t0+ms, 1, 12), aWrite(5, t0+2*ms, t0+50*ms, 10, 11)},
		aWait(6, t0+60*ms, t0+70*ms),
		[]event.Event{aWrite(6, t0+71*ms, t0+72*ms, 12, 12), aResponse(1, t0+101*ms, 10), second})...)
	tr := s.trace(2)
	spanAt(t, s.span(tr, spans.NameSocket), t0+ms+10*us, t0+60*ms)
	spanAt(t, s.span(tr, spans.NameMonitorWait), t0+60*ms, t0+70*ms)
}

// Without acks the connection is muted until the write is done.
func TestPipelinedWithoutAcks(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), aRequest(2, t0+ms, 0, 12),
		aWrite(5, t0+2*ms, t0+100*ms, 10, 11), aWrite(6, t0+101*ms, t0+102*ms, 12, 12))
	spanAt(t, s.span(s.trace(2), spans.NameSocket), t0+ms+10*us, t0+100*ms)
}

// The throttle time of a response keeps the next request waiting.
func TestThrottled(t *testing.T) {
	s := newScript(t)
	first := aResponse(1, t0+3*ms, 10)
	first.ThrottleMS = 50
	s.play(aRequest(1, t0, 1, 11), aRequest(2, t0+ms, 1, 12),
		aWrite(5, t0+ms, t0+2*ms, 10, 11), first,
		aWrite(6, t0+60*ms, t0+61*ms, 12, 12), aResponse(2, t0+62*ms, 12))
	tr := s.trace(2)
	spanAt(t, s.span(tr, spans.NameSocket), t0+ms+10*us, t0+3*ms+us)
	spanAt(t, s.span(tr, spans.NameThrottle), t0+3*ms+us, t0+53*ms)
	if c := s.requests[1].Cause; c != "throttle" {
		t.Errorf("cause %q", c)
	}
}

// A throttle time that was over before it seemed so is cut to where the handler
// is seen at work, and so is what the broker could read.
func TestThrottledTooLong(t *testing.T) {
	s := newScript(t)
	first := aResponse(1, t0+30*ms, 10) // made at 2 ms, and sent late
	first.ThrottleMS = 50
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), first,
		aRequest(2, t0+40*ms, 1, 12), aWrite(6, t0+55*ms, t0+56*ms, 12, 12), throttledBy(aResponse(2, t0+57*ms, 12), t0+80*ms))
	spanAt(t, s.span(s.trace(2), spans.NameThrottle), t0+40*ms+10*us, t0+55*ms)
	if r := s.requests[1]; r.Readable != int64(t0+55*ms) {
		t.Errorf("readable at %d", r.Readable)
	}
}

func throttledBy(r *event.Response, until event.Time) *event.Response {
	r.Throttled = until
	return r
}

// A request that came when the connection was free did not wait in it.
func TestNotPipelined(t *testing.T) {
	s := newScript(t)
	second := aResponse(2, t0+20*ms, 12)
	second.Before = t0 + 3*ms
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10),
		aRequest(2, t0+10*ms, 1, 12), aWrite(6, t0+11*ms, t0+12*ms, 12, 12), second)
	for _, x := range s.trace(2).Spans {
		if x.Name == spans.NameSocket {
			t.Error("a wait in the socket")
		}
	}
}

func closedByBroker(at event.Time) *event.ConnLost {
	return &event.ConnLost{Time: at, Conn: 1, Reason: "closed", ByBroker: true}
}

// The broker closed the connection over an earlier error: what it never got to
// is lost, and nobody was told.
func TestNeverAppended(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		aRequest(2, t0+3*ms, 0, 12), aRequest(3, t0+4*ms, 0, 13), closedByBroker(t0+5*ms),
		aWrite(5, t0+6*ms, t0+7*ms, 12, 99))
	for _, id := range []int32{2, 3} {
		if e := s.trace(id).Root().Error; e != "never appended: the broker closed the connection" {
			t.Errorf("request %d: status %q", id, e)
		}
	}
	if st := s.Stats(); st.Lost != 2 || st.LostRecords != 4 || s.trace(1).Root().Error != "" {
		t.Errorf("counts %+v, first request %q", st, s.trace(1).Root().Error)
	}
}

// The next batch lies two offsets further on: a write was not seen, and whose
// it was nobody can tell.
func TestPerhapsAppended(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		aRequest(2, t0+3*ms, 0, 12), closedByBroker(t0+5*ms), aWrite(5, t0+6*ms, t0+7*ms, 14, 99))
	if st := s.Stats(); st.Lost != 0 || st.Unanswered != 1 || s.trace(2).Root().Error != "" {
		t.Errorf("counts %+v", st)
	}
}

// The request that was in work when the connection ended may still be written.
func TestAppendedAfterClose(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), closedByBroker(t0+5*ms), aWrite(5, t0+ms, t0+300*ms, 10, 11))
	s.wantJoin(1, 10, "exact")
	if st := s.Stats(); st.Lost != 0 || *s.requests[0].End != int64(t0+300*ms) {
		t.Errorf("counts %+v", st)
	}
}

// A response that was not seen is no slow request: a later one on the same
// connection tells that it was sent.
func TestResponseNotSeen(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		aRequest(2, t0+5000*ms, 1, 12), aWrite(5, t0+5001*ms, t0+5002*ms, 12, 12), aResponse(2, t0+5003*ms, 12))
	s.wantJoin(1, 10, "exact")
	root := s.trace(1).Root()
	spanAt(t, root, t0, t0+2*ms)
	if r := s.requests[0]; root.Error != "" || r.End != nil || r.CorrelationID != 1 {
		t.Errorf("status %q, end %v of request %d", root.Error, r.End, r.CorrelationID)
	}
}

// The broker may have made of it what stands in the log and may yet be another
// request's: not sure enough.
func TestPerhapsRewritten(t *testing.T) {
	s := newScript(t)
	other := aRequest(2, t0, -1, 12)
	other.Conn = 2
	w := aWrite(5, t0+ms, t0+2*ms, 10, 99)
	w.Attributes = 8 // LogAppendTime
	s.play(aRequest(1, t0, 0, 11), other, w, closedByBroker(t0+5*ms), aWrite(5, t0+6*ms, t0+7*ms, 12, 98), &event.Gone{Time: t0 + 4000*ms, PID: 7})
	if st := s.Stats(); st.Lost != 0 || s.trace(1).Root().Error != "" {
		t.Errorf("counts %+v", st)
	}
}
