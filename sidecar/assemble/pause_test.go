package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func anOperation(name string, from, to event.Time) *event.Pause {
	return &event.Pause{Start: from, End: to, Thread: aThread(99), Name: name}
}

func aGC(from, to event.Time) *event.Pause {
	return &event.Pause{Start: from, End: to, Thread: aThread(99), GC: true, Full: true}
}

// A GC between the write and the response is the cause, and stands in the
// operation that did it; its time is counted once.
func TestGC(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		anOperation("G1CollectForAllocation", t0+3*ms, t0+83*ms), aGC(t0+4*ms, t0+82*ms), aResponse(1, t0+90*ms, 10))
	tr := s.trace(1)
	op, gc := s.span(tr, spans.NameVMOperation), s.span(tr, spans.NameGC)
	if op.Parent != tr.Root().ID || gc.Parent != op.ID || attributeOf(op, spans.KeyVMOperation) != "G1CollectForAllocation" || attributeOf(gc, spans.KeyFullGC) != true {
		t.Errorf("%+v, %+v", op, gc)
	}
	spanAt(t, gc, t0+4*ms, t0+82*ms)
	if r := s.requests[0]; r.Cause != "jvm.gc" || r.RootCause != "jvm.gc" {
		t.Errorf("cause %s, root cause %s", r.Cause, r.RootCause)
	}
}

// A thread inside a write goes on while the others stand still.
func TestPauseDuringWrite(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+80*ms, 10, 11), aGC(t0+2*ms, t0+79*ms), aResponse(1, t0+90*ms, 10))
	if c := s.requests[0].Cause; c != "fs.write" {
		t.Errorf("cause %s", c)
	}
	s.span(s.trace(1), spans.NameGC)
}

// In the request queue everybody stands still; what is left of it is the queue's.
func TestOperationDuringQueue(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), anOperation("HeapDumper", t0-20*ms, t0+50*ms),
		aWrite(5, t0+80*ms, t0+81*ms, 10, 11), aResponse(1, t0+82*ms, 10))
	if r := s.requests[0]; r.Cause != "jvm.vmop" {
		t.Errorf("cause %s", r.Cause)
	}
	op := s.span(s.trace(1), spans.NameVMOperation)
	spanAt(t, op, t0, t0+50*ms)
	if attributeOf(op, spans.KeyClipped) != int64(20*ms) {
		t.Errorf("%v", op.Attributes)
	}
}

// A hold in which nothing was seen lasted for the GC in it.
func TestPausedHolder(t *testing.T) {
	s := newScript(t)
	events := append(aProduce(1, 6, t0, t0+102*ms, t0+103*ms, t0+104*ms), aWait(6, t0+ms, t0+101*ms)...)
	s.play(append(events, aRelease(5, t0+100*ms), aGC(t0+5*ms, t0+98*ms))...)
	if r := s.requests[0]; r.Cause != "monitor.wait" || r.RootCause != "jvm.gc" {
		t.Errorf("cause %s, root cause %s", r.Cause, r.RootCause)
	}
}

// Short ones are left out; of many the longest are shown, and all are counted.
func TestManyPauses(t *testing.T) {
	s := newScript(t)
	events := append([]event.Event{aGC(t0+ms, t0+ms+50*us)}, aProduce(1, 5, t0, t0+900*ms, t0+901*ms, t0+902*ms)...)
	for i := range event.Time(100) {
		at := t0 + 2*ms + i*8*ms
		events = append(events, aGC(at, at+5*ms))
	}
	s.play(events...)
	n := 0
	for _, x := range s.trace(1).Spans {
		if x.Name == spans.NameGC {
			n++
		}
	}
	if n != maxPauses || s.requests[0].Cause != "jvm.gc" {
		t.Errorf("%d spans, cause %s", n, s.requests[0].Cause)
	}
}

// A request of a time at which monitors were not watched says so, and a wait that
// was under way then is none.
func TestUnwatched(t *testing.T) {
	s := newScript(t)
	events := append(aProduce(1, 5, t0, t0+ms, t0+2*ms, t0+3*ms), aProduce(2, 5, t0+100*ms, t0+101*ms, t0+102*ms, t0+103*ms)...)
	events = append(events, aProduce(3, 5, t0+200*ms, t0+201*ms, t0+202*ms, t0+203*ms)...)
	events = append(events, &event.MonitorsWatched{Time: t0 + 50*ms, PID: 7}, &event.MonitorsWatched{Time: t0 + 102*ms, PID: 7, On: true})
	s.play(append(events, aWait(8, t0+40*ms, t0+150*ms)...)...)
	for n, want := range map[int32]any{1: nil, 2: true, 3: nil} {
		if got := attributeOf(s.trace(n).Root(), spans.KeyUnwatched); got != want {
			t.Errorf("request %d: %v", n, got)
		}
	}
	if st := s.Stats(); len(s.waits) != 0 || st.LostWaits != 2 {
		t.Errorf("%d waits, counts %+v", len(s.waits), st)
	}
}
