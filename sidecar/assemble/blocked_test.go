package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// on has an event be of another monitor.
func on(monitor uint64, events ...event.Event) []event.Event {
	for _, e := range events {
		switch e := e.(type) {
		case *event.MonitorEnter:
			e.Monitor = monitor
		case *event.MonitorEntered:
			e.Monitor = monitor
		case *event.MonitorExit:
			e.Monitor = monitor
		}
	}
	return events
}

// aProduce is a request on a connection of its own, its write and its response.
func aProduce(n int32, tid int32, at, from, to, end event.Time) []event.Event {
	r, answer := aRequest(n, at, 1, uint32(10+n)), aResponse(n, end, int64(10*n))
	r.Conn, answer.Conn = event.Conn(n), event.Conn(n)
	return []event.Event{r, aWrite(tid, from, to, int64(10*n), uint32(10+n)), answer}
}

func (s *script) wantBlocked(root *spans.Span, requests int64, ns event.Time) {
	s.t.Helper()
	n, d := attributeOf(root, spans.KeyBlockedRequests), attributeOf(root, spans.KeyBlocked)
	if requests == 0 && n == nil && d == nil {
		return
	}
	if n != requests || d != int64(ns) {
		s.t.Errorf("%s blocked %v requests for %v ns, want %d for %d", root.Name, n, d, requests, ns)
	}
}

// One slow write, and two handlers behind its lock: it says so.
func TestBlocked(t *testing.T) {
	s := newScript(t)
	cascade(s)
	s.wantBlocked(s.trace(1).Root(), 2, 499*ms+498*ms)
	s.wantBlocked(s.trace(2).Root(), 1, 3*ms+500*us)
	s.wantBlocked(s.trace(3).Root(), 0, 0)
	for _, r := range s.requests {
		if r.CorrelationID == 1 && (r.BlockedRequests != 2 || r.Blocked != int64(997*ms)) {
			t.Errorf("row %+v", r)
		}
	}
	if n := s.Stats().BlockedCut; n != 0 {
		t.Errorf("%d came late", n)
	}
}

// chained: 3 waits for 2, who waits for another lock of 1, who writes.
func chained() []event.Event {
	events := append(aProduce(1, 5, t0, t0+ms, t0+400*ms, t0+402*ms), on(2, aRelease(5, t0+401*ms))...)
	events = append(events, aProduce(2, 6, t0, t0+402*ms+500*us, t0+403*ms, t0+406*ms)...)
	events = append(events, on(2, aWait(6, t0+2*ms, t0+402*ms)...)...)
	events = append(events, on(1, aRelease(6, t0+404*ms))...)
	events = append(events, aProduce(3, 7, t0, t0+405*ms+500*us, t0+406*ms, t0+407*ms)...)
	return append(events, on(1, aWait(7, t0+100*ms, t0+405*ms)...)...)
}

// The part of a wait that a chain of holders leads back to a write is the
// write's, whoever stands between; each hop has a link.
func TestBlockedThroughAWaiter(t *testing.T) {
	s := newScript(t)
	s.play(chained()...)
	s.wantBlocked(s.trace(1).Root(), 2, 399*ms+301*ms)
	s.wantBlocked(s.trace(2).Root(), 0, 0)
	first, second := s.span(s.trace(3), spans.NameMonitorWait), s.span(s.trace(2), spans.NameMonitorWait)
	if len(first.Links) != 2 || first.Links[0].Span != second.ID || first.Links[1].Span != s.span(s.trace(2), spans.NameWrite).ID {
		t.Errorf("the first hop leads to %v", first.Links)
	}
	if len(second.Links) != 1 || second.Links[0].Span != s.span(s.trace(1), spans.NameWrite).ID {
		t.Errorf("the second hop leads to %v", second.Links)
	}
	for _, r := range s.requests {
		if r.RootCause != "fs.write" {
			t.Errorf("request %d: root cause %s", r.CorrelationID, r.RootCause)
		}
	}
}

// Who stands between may be no request's: its hold is a trace, and its wait in
// that leads on.
func TestChainThroughNobody(t *testing.T) {
	s := newScript(t)
	var events []event.Event
	for _, e := range chained() {
		switch e := e.(type) {
		case *event.Request:
			if e.CorrelationID == 2 {
				continue
			}
		case *event.Response:
			if e.CorrelationID == 2 {
				continue
			}
		case *event.Write:
			if e.TID == 6 {
				continue
			}
		}
		events = append(events, e)
	}
	s.play(events...)
	s.wantBlocked(s.trace(1).Root(), 1, 301*ms)
	l := s.span(s.trace(3), spans.NameMonitorWait).Links
	if len(l) != 1 || s.traces[l[0].Trace] == nil {
		t.Fatalf("links %v", l)
	}
	hold := s.traces[l[0].Trace]
	if r := hold.Root(); r.Name != spans.NameLockHold || attributeOf(r, spans.KeyRootCause) != "fs.write" {
		t.Errorf("%s %v", r.Name, r.Attributes)
	}
	in := s.span(hold, spans.NameMonitorWait)
	if len(in.Links) != 1 || in.Links[0].Span != s.span(s.trace(1), spans.NameWrite).ID {
		t.Errorf("the hold's wait leads to %v", in.Links)
	}
}

// What holds a lock without being a request has a trace of its own that says whom
// it blocked: a coordinator's write, a fetcher's, the cleaner's fsync.
func TestBlockedByNobody(t *testing.T) {
	commit, fetched := aWrite(5, t0+ms, t0+300*ms, 70, 70), aWrite(5, t0+ms, t0+300*ms, 70, 70)
	commit.Topic, commit.Name = "__consumer_offsets", "group-coordinat"
	fetched.Name = "ReplicaFetcherT"
	cleaner := aThread(5)
	cleaner.Name = "kafka-log-clean"
	for name, e := range map[string]event.Event{
		spans.NameBrokerWrite: commit, spans.NameBrokerWrite + " of a fetcher": fetched,
		spans.NameBrokerFsync: &event.Fsync{Start: t0 + ms, End: t0 + 300*ms, Thread: cleaner, Device: 8 << 20, File: "orders-3/00000000000000000000.index"},
		spans.NameLockHold:    nil,
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			events := append(aProduce(1, 6, t0, t0+303*ms, t0+304*ms, t0+305*ms), aWait(6, t0+2*ms, t0+302*ms)...)
			events = append(events, aProduce(2, 7, t0, t0+306*ms, t0+307*ms, t0+308*ms)...)
			events = append(append(events, aWait(7, t0+3*ms, t0+302*ms)...), aRelease(5, t0+301*ms))
			if e != nil {
				events = append(events, e)
			}
			s.play(events...)
			l := s.span(s.trace(1), spans.NameMonitorWait).Links
			if len(l) != 1 || s.traces[l[0].Trace] == nil {
				t.Fatalf("links %v", l)
			}
			root := s.traces[l[0].Trace].Root()
			if root.Name != name && root.Name+" of a fetcher" != name {
				t.Errorf("it leads to %s", root.Name)
			}
			s.wantBlocked(root, 2, 299*ms+298*ms)
		})
	}
}

// A request whose trace could be told is kept open for who waited for it, and
// then for others: it is not known before whose that wait was.
func TestBlockedForLong(t *testing.T) {
	s := newScript(t)
	events := append(aProduce(1, 5, t0, t0+ms, t0+500*ms, t0+502*ms), aRelease(5, t0+501*ms), aRelease(8, t0+4*1000*ms))
	events = append(events, aProduce(3, 6, t0, t0+100*us, t0+200*us, t0+300*us)...) // a handler: it writes
	events = append(events, aWait(6, t0+2*ms, t0+4001*ms)...)
	s.play(append(events, aProduce(2, 6, t0+ms, t0+4002*ms, t0+6000*ms, t0+6001*ms)...)...)
	s.wantBlocked(s.trace(1).Root(), 1, 499*ms)
	if n := s.Stats().BlockedCut; n != 0 {
		t.Errorf("%d came late", n)
	}
}

// It is not kept open for longer than anything else.
func TestBlockedInVain(t *testing.T) {
	s := newScript(t)
	one := aProduce(1, 5, t0, t0+ms, t0+500*ms, t0+502*ms)
	for _, e := range []event.Event{one[0], aWait(6, t0+2*ms, 0)[0], one[1], aRelease(5, t0+501*ms), one[2]} {
		s.Handle(e)
	}
	s.Tick(t0 + 502*ms + linger + patience - ms)
	if n := len(s.requests); n != 0 {
		t.Errorf("%d told while a wait for it goes on", n)
	}
	s.Tick(t0 + 503*ms + linger + patience)
	if n := len(s.requests); n != 1 {
		t.Errorf("%d told when patience was over", n)
	}
	s.Close()
}

// A request that waited twice for another counts once.
func TestBlockedTwice(t *testing.T) {
	s := newScript(t)
	slow, answer := aRequest(1, t0, 1, 11), aResponse(1, t0+302*ms, 10)
	slow.Partitions = append(slow.Partitions, slow.Partitions[0])
	slow.Partitions[1].Partition, slow.Partitions[1].CRC = 4, 12
	answer.Partitions = append(answer.Partitions, answer.Partitions[0])
	answer.Partitions[1].Partition = 4
	other := aWrite(5, t0+102*ms, t0+300*ms, 10, 12)
	other.Partition, other.File = 4, "orders-4/00000000000000000000.log"
	events := append(on(1, aWait(6, t0+2*ms, t0+102*ms)...), on(2, aWait(6, t0+103*ms, t0+302*ms)...)...)
	events = append(events, slow, aWrite(5, t0+ms, t0+100*ms, 10, 11), other, answer)
	events = append(append(events, on(1, aRelease(5, t0+101*ms))...), on(2, aRelease(5, t0+301*ms))...)
	s.play(append(events, aProduce(2, 6, t0, t0+303*ms, t0+304*ms, t0+305*ms)...)...)
	s.wantBlocked(s.trace(1).Root(), 1, 99*ms+198*ms)
}

// One write, and a hundred handlers behind it, one after the other: each waited
// for it, and then for those before it.
func TestBlockedHundred(t *testing.T) {
	s := newScript(t)
	events := append(aProduce(1, 5, t0, t0+ms, t0+500*ms, t0+502*ms), aRelease(5, t0+501*ms))
	for i := range int32(100) {
		at := t0 + 501*ms + event.Time(i)*100*us // when it is its turn
		events = append(events, aWait(100+i, t0+2*ms, at+10*us)...)
		events = append(events, aProduce(2+i, 100+i, t0, at+20*us, at+60*us, at+120*us)...)
		events = append(events, aRelease(100+i, at+90*us))
	}
	s.play(events...)
	s.wantBlocked(s.trace(1).Root(), 100, 100*499*ms)
	s.wantBlocked(s.trace(50).Root(), 0, 0)
}
