package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// A slow writer holds the lock, a quick one gets it before the waiter does:
// the slow one is the holder, and the write's commit is the root cause.
func cascade(s *script) {
	slow := aRequest(1, t0, 1, 11)
	quick := aRequest(2, t0, 1, 12)
	quick.Conn = 2
	waiter := aRequest(3, t0, 1, 13)
	waiter.Conn = 3
	rq, rw := aResponse(2, t0+505*ms, 12), aResponse(3, t0+510*ms, 14)
	rq.Conn, rw.Conn = 2, 3
	events := []event.Event{slow, quick, waiter,
		&event.CommitStart{Time: t0 - 10*ms, Device: 8 << 20, Transaction: 99},
		&event.DirtyInode{Start: t0 + 2*ms, End: t0 + 499*ms, Thread: aThread(5), Device: 8 << 20, Inode: 42, FileSystem: "ext4"},
		aWrite(5, t0+ms, t0+500*ms, 10, 11), aRelease(5, t0+501*ms), aResponse(1, t0+502*ms, 10),
		aWrite(6, t0+503*ms, t0+504*ms, 12, 12), aRelease(6, t0+504*ms+500*us), rq,
		aWrite(7, t0+506*ms, t0+507*ms, 14, 13), rw,
		&event.Commit{Start: t0 - 10*ms, Locking: t0 - 9*ms, Flushing: t0 - 8*ms, Logging: t0 - 7*ms, End: t0 + 600*ms, Device: 8 << 20, Transaction: 99},
	}
	events = append(events, aWait(6, t0+2*ms, t0+502*ms)...)
	events = append(events, aWait(7, t0+3*ms, t0+505*ms)...)
	s.play(events...)
}

func TestHolders(t *testing.T) {
	s := newScript(t)
	cascade(s)
	if len(s.waits) != 2 {
		t.Fatalf("%d waits", len(s.waits))
	}
	w := s.waits[1]
	if w.TID != 7 || *w.HolderTID != 5 || len(w.Holders) != 2 {
		t.Fatalf("wait %+v, holders %+v", w, w.Holders)
	}
	if got := w.Holders[0].NS + w.Holders[1].NS; got > w.Latency || w.Holders[0].NS != int64(498*ms) {
		t.Errorf("shares %+v of a wait of %d", w.Holders, w.Latency)
	}
	slow := s.trace(1)
	if *w.HolderTraceID != slow.ID.String() || *w.TraceID != s.trace(3).ID.String() {
		t.Error("the wait does not name its own and its holder's trace")
	}
	m := s.span(s.trace(3), "monitor.wait")
	if len(m.Links) != 2 || m.Links[0].Trace != slow.ID || m.Links[0].Span != s.span(slow, "fs.write").ID {
		t.Errorf("links %v", m.Links)
	}
}

func TestCauses(t *testing.T) {
	s := newScript(t)
	cascade(s)
	for _, r := range s.requests {
		want := map[int32][2]string{1: {"jbd2.commit", "jbd2.commit"}, 2: {"monitor.wait", "jbd2.commit"}, 3: {"monitor.wait", "jbd2.commit"}}[r.CorrelationID]
		if r.Cause != want[0] || r.RootCause != want[1] {
			t.Errorf("request %d: cause %s, root cause %s", r.CorrelationID, r.Cause, r.RootCause)
		}
	}
	c := s.span(s.trace(1), "jbd2.commit")
	if len(c.Links) != 1 || s.traces[c.Links[0].Trace] == nil || s.traces[c.Links[0].Trace].Root().ID != c.Links[0].Span {
		t.Errorf("the commit's link leads nowhere: %v", c.Links)
	}
	if d := s.span(s.trace(1), "ext4_dirty_inode"); c.Start != d.Start || c.End != d.End {
		t.Error("the commit covers its ext4_dirty_inode, but not in the trace")
	}
	if len(s.commits) != 1 || len(s.commits[0].Held) != 1 || s.commits[0].Logging != int64(607*ms) {
		t.Errorf("commit row %+v", s.commits)
	}
}

// The probe of the release fires after the lock is dropped: up to 200 µs
// later it is still that holder's.
func TestLateExit(t *testing.T) {
	s := newScript(t)
	events := append(aWait(7, t0+ms, t0+20*ms), aRelease(5, t0+20*ms+150*us), aRequest(1, t0, 1, 13),
		aWrite(5, t0+ms/2, t0+19*ms, 10, 77), aWrite(7, t0+21*ms, t0+22*ms, 12, 13), aResponse(1, t0+23*ms, 12))
	s.play(events...)
	if h := s.waits[0].Holders; len(h) != 1 || h[0].TID != 5 || h[0].NS != int64(19*ms) {
		t.Fatalf("holders %+v", h)
	}
	// The holder's write is no request's: it has a trace of its own.
	l := s.span(s.trace(1), "monitor.wait").Links
	if len(l) != 1 || s.traces[l[0].Trace] == nil || s.traces[l[0].Trace].Root().Name != spans.NameBrokerWrite {
		t.Errorf("links %v", l)
	}
}

// Nobody was seen to release it in time: nobody is named, but one who lost the CPU
// before the probe, as it did nothing since, inferred.
func TestNoExit(t *testing.T) {
	s := newScript(t)
	s.play(append(aWait(7, t0+ms, t0+20*ms), aRelease(5, t0+41*ms))...)
	if w := s.waits[0]; len(w.Holders) != 0 || w.HolderTID != nil || w.Join != nil || w.Unexplained != int64(19*ms) {
		t.Errorf("%+v", w)
	}
	for name, since := range map[string]event.Event{"": nil, "wrote since": aWrite(5, t0+21*ms, t0+22*ms, 10, 1), "had its own exit": aRelease(7, t0+21*ms)} {
		s := newScript(t)
		events := append(aWait(7, t0+ms, t0+20*ms), aWrite(5, t0, t0+19*ms, 8, 2), aRelease(5, t0+25*ms), aRelease(6, t0+26*ms))
		if since != nil {
			events = append(events, since)
		}
		s.play(events...)
		w := s.waits[0]
		switch named := len(w.Holders) == 1 && w.Holders[0].TID == 5 && w.Holders[0].NS == int64(19*ms) && *w.Join == "inferred"; {
		case since == nil && !named, name == "had its own exit" && len(w.Holders) != 0, name == "wrote since" && (named || len(w.Holders) != 1):
			t.Errorf("%q: %+v", name, w)
		}
	}
}

// A holder that wrote nothing has a trace of its hold.
func TestHold(t *testing.T) {
	s := newScript(t)
	s.play(append(aWait(7, t0+ms, t0+20*ms), aRelease(5, t0+20*ms), aRequest(1, t0, 1, 13),
		aWrite(7, t0+21*ms, t0+22*ms, 12, 13), aResponse(1, t0+23*ms, 12))...)
	l := s.span(s.trace(1), "monitor.wait").Links
	if len(l) != 1 || s.traces[l[0].Trace] == nil || s.traces[l[0].Trace].Root().Name != spans.NameLockHold {
		t.Errorf("links %v", l)
	}
}

// After its write a handler waits again, for the high watermark: that is the
// request's as well, until it hands over the response.
func TestWaitAfterWrite(t *testing.T) {
	s := newScript(t)
	events := []event.Event{aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+31*ms, 10),
		&event.Wake{Time: t0 + 30*ms, Thread: aThread(5)}}
	events = append(events, aWait(5, t0+3*ms, t0+29*ms)...)
	events = append(events, aWait(5, t0+30*ms+500*us, t0+60*ms)...) // completes somebody's fetch
	s.play(events...)
	n := 0
	for _, x := range s.trace(1).Spans {
		if x.Name == "monitor.wait" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d waits in the trace, want the one before the wake-up", n)
	}
	for _, w := range s.waits {
		if (w.TraceID == nil) != (w.Start > int64(t0+30*ms)) {
			t.Errorf("the wait at %d belongs to %v", w.Start, w.TraceID)
		}
	}
}

// Two requests on one thread without a wake-up between them: what both could
// have waited for belongs to neither.
func TestAmbiguousWait(t *testing.T) {
	s := newScript(t)
	b := aRequest(2, t0+ms, 1, 12)
	b.Conn = 2
	rb := aResponse(2, t0+60*ms, 12)
	rb.Conn = 2
	s.play(append(aWait(5, t0+3*ms, t0+29*ms), aRequest(1, t0, 1, 11), b,
		aWrite(5, t0+ms, t0+2*ms, 10, 11), aWrite(5, t0+30*ms, t0+31*ms, 12, 12), aResponse(1, t0+50*ms, 10), rb)...)
	if s.waits[0].TraceID != nil || s.Stats().Ambiguous != 1 {
		t.Errorf("trace %v, %d ambiguous", s.waits[0].TraceID, s.Stats().Ambiguous)
	}
}

// A wait that began before the request came was for somebody else.
func TestWaitBeforeArrival(t *testing.T) {
	s := newScript(t)
	events := append(aWait(5, t0-10*ms, t0+10*ms), aRequest(1, t0, 1, 11),
		aWrite(5, t0+11*ms, t0+12*ms, 10, 11), aResponse(1, t0+13*ms, 10))
	s.play(events...)
	if w := s.waits[0]; w.TraceID != nil {
		t.Errorf("the wait is request %v's", *w.TraceID)
	}
	if c := s.requests[0].Cause; c != "request.queue" {
		t.Errorf("cause %s", c)
	}
}
