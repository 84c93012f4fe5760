package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// aPark is one of the thread that by ended; 0: nobody did.
func aPark(tid int32, from, to event.Time, timed bool, by int32) *event.Park {
	p := &event.Park{Start: from, End: to, Thread: aThread(tid), Timed: timed}
	if by != 0 {
		p.Waker, p.Woken = aThread(by), to-5*us
	}
	return p
}

func aWake(tid int32, at event.Time) *event.Wake { return &event.Wake{Time: at, Thread: aThread(tid)} }

// queued is how long request.queue of the request is, and how sure its end.
func (s *script) queued(correlation int32) (event.Time, string) {
	s.t.Helper()
	q := s.span(s.trace(correlation), "request.queue")
	for _, a := range q.Attributes {
		if string(a.Key) == spans.KeyJoin {
			return event.Time(q.End - q.Start), a.Value.AsString()
		}
	}
	s.t.Fatalf("no %s on %v", spans.KeyJoin, q.Attributes)
	return 0, ""
}

// The end of the handler's stay in the queue is the end of the request's, where
// nothing speaks against it. Each request arrives at t0, its last byte 10 µs
// later, and is written at 500 µs.
func TestQueue(t *testing.T) {
	const from, to = t0 - 100*ms, t0 + 100*us
	for name, c := range map[string]struct {
		events []event.Event
		want   event.Time
		join   string
	}{
		"no park":                       {nil, 490 * us, "inferred"},
		"a stay that it ended":          {[]event.Event{aPark(5, from, to, true, 9)}, 90 * us, "exact"},
		"the last of several":           {[]event.Event{aPark(5, from, t0-10*us, true, 9), aPark(5, t0-5*us, to, true, 9)}, 90 * us, "exact"},
		"its limit was over":            {[]event.Event{aPark(5, from, to, true, 0)}, 490 * us, "inferred"},
		"another thread's":              {[]event.Event{aPark(6, from, to, true, 9)}, 490 * us, "inferred"},
		"ended before it came":          {[]event.Event{aPark(5, from, t0+8*us, true, 9)}, 490 * us, "inferred"},
		"and then the queue's own lock": {[]event.Event{aPark(5, from, to, true, 9), aPark(5, to+20*us, to+60*us, false, 6)}, 150 * us, "inferred"},
		"before it the queue's own lock": {[]event.Event{aPark(5, t0+12*us, t0+20*us, false, 6), aPark(5, t0+30*us, to, true, 9)},
			90 * us, "exact"},
		"a response in between": {[]event.Event{aPark(5, from, to, true, 9), aWake(5, to+50*us)}, 490 * us, "inferred"},
		"a wait after it": {append(aWait(5, t0+200*us, t0+300*us), aPark(5, from, to, true, 9)),
			90 * us, "exact"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			s.play(append(c.events, aRequest(1, t0, 1, 11), aWrite(5, t0+500*us, t0+510*us, 10, 11), aResponse(1, t0+600*us, 10))...)
			if got, join := s.queued(1); got != c.want || join != c.join {
				t.Errorf("%d, %s; want %d, %s", got, join, c.want, c.join)
			}
			if n := s.Stats().QueuesExact; n != map[string]uint64{"exact": 1}[c.join] {
				t.Errorf("%d exact", n)
			}
			for _, sp := range s.trace(1).Spans {
				if sp.Name == spans.NamePark {
					t.Errorf("the queue is no lock: %v", sp)
				}
			}
		})
	}
}

// A transaction's request may be written by another handler than took it, and a
// pipelined one cannot have been in the queue before the one before it was done.
func TestQueueNotSure(t *testing.T) {
	s := newScript(t)
	txn, second := aRequest(1, t0, 1, 11), aRequest(2, t0, 1, 12)
	txn.TransactionalID, second.Conn = "t", 2
	answer := aResponse(2, t0+900*us, 12)
	answer.Conn, answer.Before = 2, t0+300*us
	s.play(txn, aPark(5, t0-ms, t0+100*us, true, 9), aWrite(5, t0+500*us, t0+510*us, 10, 11), aResponse(1, t0+600*us, 10),
		second, aPark(6, t0-ms, t0+100*us, true, 9), aWrite(6, t0+520*us, t0+530*us, 12, 12), answer)
	for _, correlation := range []int32{1, 2} {
		if _, join := s.queued(correlation); join != "inferred" {
			t.Errorf("request %d: %s", correlation, join)
		}
	}
}

// Two requests, one handler, one stay: only the first of them ended it.
func TestQueueOfTheNext(t *testing.T) {
	s := newScript(t)
	next := aRequest(2, t0, 1, 12)
	next.Conn = 2
	answer := aResponse(2, t0+900*us, 12)
	answer.Conn = 2
	s.play(aRequest(1, t0, 1, 11), next, aPark(5, t0-ms, t0+100*us, true, 9),
		aWrite(5, t0+500*us, t0+510*us, 10, 11), aWake(5, t0+550*us), aResponse(1, t0+600*us, 10),
		aWrite(5, t0+700*us, t0+710*us, 12, 12), aWake(5, t0+750*us), answer)
	if _, join := s.queued(1); join != "exact" {
		t.Errorf("the first: %s", join)
	}
	if got, join := s.queued(2); join != "inferred" || got != 690*us {
		t.Errorf("the second: %d, %s", got, join)
	}
}

// A handler parks for a lock that another thread holds while it writes: park.wait
// names that thread, links to the write, and is the cause.
func TestParkWait(t *testing.T) {
	s := newScript(t)
	slow, waiter := aRequest(1, t0, 1, 11), aRequest(2, t0, 1, 12)
	waiter.Conn = 2
	rw := aResponse(2, t0+510*ms, 12)
	rw.Conn = 2
	s.play(slow, waiter,
		aPark(6, t0-ms, t0+100*us, true, 9), // taken from the queue
		aWrite(5, t0+ms, t0+500*ms, 10, 11), aPark(6, t0+2*ms, t0+501*ms, false, 5), aResponse(1, t0+502*ms, 10),
		aWrite(6, t0+506*ms, t0+507*ms, 12, 12), rw)
	p := s.span(s.trace(2), spans.NamePark)
	if p.End-p.Start != int64(499*ms) {
		t.Errorf("%d long", p.End-p.Start)
	}
	write := s.span(s.trace(1), "fs.write")
	if len(p.Links) != 1 || p.Links[0].Trace != s.trace(1).ID || p.Links[0].Span != write.ID {
		t.Errorf("links %v", p.Links)
	}
	waker, source := int64(0), ""
	for _, a := range p.Attributes {
		switch string(a.Key) {
		case spans.KeyWakerID:
			waker = a.Value.AsInt64()
		case spans.KeyParkSource:
			source = a.Value.AsString()
		}
	}
	if waker != 5 || source != "usdt" {
		t.Errorf("waker %d, seen by %q", waker, source)
	}
	for _, r := range s.requests {
		want := map[int32][2]string{1: {"fs.write", "fs.write"}, 2: {"park.wait", "fs.write"}}[r.CorrelationID]
		if r.Cause != want[0] || r.RootCause != want[1] {
			t.Errorf("request %d: %s because of %s, want %v", r.CorrelationID, r.Cause, r.RootCause, want)
		}
	}
	if _, join := s.queued(2); join != "exact" {
		t.Error("the queue ended before the lock was wanted:", join)
	}
	if len(s.waits) != 0 {
		t.Errorf("a park among the waits for monitors: %+v", s.waits[0])
	}
}

// Nobody's write lasted while it was parked: then the wait is the cause by
// itself, and there is no hold to link to.
func TestParkOfNobody(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aPark(5, t0+ms, t0+50*ms, false, 8), aWrite(5, t0+51*ms, t0+52*ms, 10, 11), aResponse(1, t0+53*ms, 10))
	if r := s.requests[0]; r.Cause != "park.wait" || r.RootCause != "park.wait" {
		t.Errorf("%s because of %s", r.Cause, r.RootCause)
	}
	if p := s.span(s.trace(1), spans.NamePark); len(p.Links) != 0 {
		t.Errorf("links %v", p.Links)
	}
	if len(s.traces) != 1 {
		t.Errorf("%d traces", len(s.traces))
	}
}

// A handler that was busy finds the next request without a stay in the queue: what
// it is parked for before it is seen to do anything may be the queue's own lock.
func TestParkBeforeQueue(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0+200*us, 1, 11), aPark(5, t0, t0+300*us, false, 8), aWrite(5, t0+5*ms, t0+6*ms, 10, 11), aResponse(1, t0+7*ms, 10))
	if got, join := s.queued(1); join != "inferred" || got < 4*ms {
		t.Errorf("queued for %d, %s", got, join)
	}
	for _, x := range s.trace(1).Spans {
		if x.Name == spans.NamePark {
			t.Error("it is no wait of the request's")
		}
	}
	if n := s.Stats().Ambiguous; n != 1 {
		t.Errorf("%d counted", n)
	}
}

// As the kernel sees them, sleeps differ by what the thread sleeps on: for the one
// that it is mostly woken from it sleeps in the queue, and for locks.
func TestParker(t *testing.T) {
	const queue, monitor = 77, 88
	sleep := func(from, to event.Time, timed bool, by int32, futex uint32) *event.Park {
		p := aPark(5, from, to, timed, by)
		p.Kernel, p.Futex = true, futex
		return p
	}
	s := newScript(t)
	var events []event.Event
	for i := range event.Time(8) {
		at, n := t0+i*100*ms, int32(i)
		events = append(events, sleep(at-ms, at+100*us, true, 9, queue),
			sleep(at+ms, at+2*ms, true, 6, monitor),    // it is woken before a recheck
			sleep(at+3*ms, at+4*ms, true, 0, monitor),  // a recheck
			sleep(at+4*ms, at+5*ms, false, 6, monitor), // and at last
			sleep(at+6*ms, at+7*ms, false, 6, queue),   // a lock
			aRequest(n, at, 1, uint32(n)), aWrite(5, at+8*ms, at+9*ms, int64(2*n), uint32(n)), aWake(5, at+9*ms+us), aResponse(n, at+10*ms, int64(2*n)))
		if i == 0 { // three in the queue tell which it is
			events = append(events, sleep(at+20*ms, at+30*ms, true, 9, queue), sleep(at+30*ms, at+40*ms, true, 9, queue), sleep(at+40*ms, at+50*ms, true, 9, queue))
		}
	}
	s.play(events...)
	for n := range int32(8) {
		want, parks := "exact", 1
		if n == 0 {
			want, parks = "inferred", 0
		}
		if _, join := s.queued(n); join != want {
			t.Errorf("request %d: %s", n, join)
		}
		got := 0
		for _, sp := range s.trace(n).Spans {
			if sp.Name == spans.NamePark {
				got++
				if sp.End-sp.Start != int64(ms) {
					t.Errorf("request %d: %v", n, sp)
				}
			}
		}
		if got != parks {
			t.Errorf("request %d: %d locks", n, got)
		}
	}
}

// A thread that waits for a monitor is asleep like one that is parked.
func TestMonitorIsNoPark(t *testing.T) {
	s := newScript(t)
	events := append(aWait(5, t0+ms, t0+50*ms), aPark(5, t0+ms+us, t0+2*ms, true, 0), aPark(5, t0+2*ms+us, t0+49*ms, false, 6),
		aRequest(1, t0, 1, 11), aWrite(5, t0+51*ms, t0+52*ms, 10, 11), aResponse(1, t0+53*ms, 10))
	s.play(events...)
	if st := s.Stats(); st.Parks != 0 || st.Waits != 1 {
		t.Errorf("%d parks, %d waits", st.Parks, st.Waits)
	}
	if r := s.requests[0]; r.Cause != "monitor.wait" {
		t.Error(r.Cause)
	}
}

// A park between the writes of two requests that the broker had at the time
// could be either's: it is neither's, and counted.
func TestParkOfEither(t *testing.T) {
	s := newScript(t)
	second := aRequest(2, t0, 1, 12)
	second.Conn = 2
	answer := aResponse(2, t0+9*ms, 12)
	answer.Conn = 2
	s.play(aRequest(1, t0, 1, 11), second, aWrite(5, t0+ms, t0+2*ms, 10, 11), aPark(5, t0+3*ms, t0+4*ms, false, 6),
		aWrite(5, t0+5*ms, t0+6*ms, 12, 12), aResponse(1, t0+8*ms, 10), answer)
	if n := s.Stats().Ambiguous; n != 1 {
		t.Errorf("%d ambiguous", n)
	}
	for _, correlation := range []int32{1, 2} {
		for _, sp := range s.trace(correlation).Spans {
			if sp.Name == spans.NamePark {
				t.Errorf("request %d has it", correlation)
			}
		}
	}
}
