package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// TestWaitAtManyRequests: where more is written in the second after a request than
// writes are kept, what its thread waited for is its own all the same.
func TestWaitAtManyRequests(t *testing.T) {
	s := newScript(t)
	events := []event.Event{aRequest(1, t0, 1, 11), aRelease(6, t0+100*ms), aWrite(5, t0+101*ms, t0+102*ms, 10, 11), aResponse(1, t0+103*ms, 10)}
	events = append(events, aWait(5, t0+ms, t0+100*ms)...)
	for i := range event.Time(maxWrites + 1) {
		w := aWrite(7, t0+200*ms+i*20*us, t0+200*ms+i*20*us+us, int64(2*i), uint32(1000+i))
		w.Topic, w.File = "others", "others-3/00000000000000000000.log"
		events = append(events, w)
	}
	s.play(events...)
	if c := s.requests[0].Cause; c != string(spans.CauseMonitor) {
		t.Errorf("cause %s, want %s", c, spans.CauseMonitor)
	}
}

// TestPlainRequestsAreBrief: requests to which nothing happened are not kept open
// for as long as those that something may yet be learned of.
func TestPlainRequestsAreBrief(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(1000) {
		at, c := t0+i*ms, int32(i)
		s.Handle(aRequest(c, at, 1, uint32(i)))
		s.Handle(aWrite(5, at+50*us, at+80*us, int64(2*i), uint32(i)))
		s.Handle(&event.Wake{Time: at + 100*us, Thread: aThread(5)})
		s.Handle(aResponse(c, at+120*us, int64(2*i)))
	}
	if open := s.Stats().Requests - s.Stats().Finished; open > uint64(brief/ms)+1 {
		t.Errorf("%d requests are open after a second", open)
	}
}
