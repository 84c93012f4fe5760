package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// Of more holders than are kept it is the longest that are, and the last; what
// the others held is unexplained, and all of it adds up.
func TestManyHolders(t *testing.T) {
	s := newScript(t)
	events := aProduce(1, 6, t0, t0+901*ms, t0+902*ms, t0+903*ms)
	at := t0 + 2*ms
	for i := range int32(1000) {
		if at += 100 * us; i == 100 {
			at += 700 * ms
		}
		events = append(events, aRelease(100+i, at))
	}
	s.play(append(events, aWait(6, t0+2*ms, t0+900*ms)...)...)
	w := s.waits[0]
	if len(w.Holders) > maxShares || *w.HolderTID != 200 || w.Holders[len(w.Holders)-1].TID != 1099 {
		t.Errorf("%d holders, the main one %d, the last %+v", len(w.Holders), *w.HolderTID, w.Holders[len(w.Holders)-1])
	}
	adds(t, s.span(s.trace(1), spans.NameMonitorWait))
	if n := s.Stats().SharesCut; n != uint64(1000-len(w.Holders)) {
		t.Errorf("%d holders left out are counted", n)
	}
}

// adds holds that shares and rest are the wait.
func adds(t testing.TB, w *spans.Span) {
	t.Helper()
	sum, ok := attributeOf(w, spans.KeyMonitorRest).(int64)
	if !ok || sum < 0 {
		t.Errorf("%d ns unexplained (%v)", sum, ok)
	}
	shares, _ := attributeOf(w, spans.KeyHolderShares).([]int64)
	for _, n := range shares {
		sum += n
	}
	if sum != w.End-w.Start {
		t.Errorf("shares and rest of %d ns in a wait of %d", sum, w.End-w.Start)
	}
}

func TestSharesAndRest(t *testing.T) {
	s := newScript(t)
	cascade(s)
	for _, n := range []int32{2, 3} {
		w := s.span(s.trace(n), spans.NameMonitorWait)
		adds(t, w)
		if attributeOf(w, spans.KeyMonitorSource) != "usdt" {
			t.Errorf("%v", w.Attributes)
		}
	}
	if w := s.waits[1]; w.Unexplained != int64(500*us) || w.Source != "usdt" {
		t.Errorf("%+v", w)
	}
}

// In a long wait all holders' writes are linked to, however quick; in a short one
// they are no reason to keep other traces.
func TestQuickWriters(t *testing.T) {
	for wait, links := range map[event.Time]int{30 * ms: 2, 10 * ms: 1} {
		s := newScript(t)
		end := t0 + ms + wait
		events := append(aProduce(1, 5, t0, t0+ms, end-ms, end+5*ms), aProduce(2, 6, t0, end-400*us, end-350*us, end+5*ms)...)
		events = append(append(events, aProduce(3, 7, t0, end+ms, end+2*ms, end+5*ms)...), aWait(7, t0+ms, end)...)
		s.play(append(events, aRelease(5, end-500*us), aRelease(6, end-100*us))...)
		if h := s.waits[len(s.waits)-1].Holders; *h[0].Wrote != s.trace(1).ID.String() || (h[1].Wrote != nil) != (links == 2) {
			t.Errorf("holders %+v", h)
		}
		if l := s.span(s.trace(3), spans.NameMonitorWait).Links; len(l) != links {
			t.Errorf("a wait of %d ms has %d links, want %d: %v", wait/ms, len(l), links, l)
		}
	}
}

// A holder that wrote for less than most of its share is linked to that write,
// which is no cause.
func TestHolderWroteALittle(t *testing.T) {
	s := newScript(t)
	events := append(aProduce(1, 5, t0, t0+50*ms, t0+60*ms, t0+105*ms), aRelease(5, t0+100*ms))
	events = append(events, aProduce(2, 7, t0, t0+102*ms, t0+103*ms, t0+105*ms)...)
	s.play(append(events, aWait(7, t0+ms, t0+101*ms)...)...)
	l := s.span(s.trace(2), spans.NameMonitorWait).Links
	if len(l) != 1 || l[0].Span != s.span(s.trace(1), spans.NameWrite).ID {
		t.Errorf("links %v", l)
	}
	s.wantBlocked(s.trace(1).Root(), 1, 99*ms)
	for _, r := range s.requests {
		if r.CorrelationID == 2 && r.RootCause != "monitor.wait" {
			t.Errorf("root cause %s", r.RootCause)
		}
	}
}

// A recording of the JVM's own knows the last holder, and nothing of the others:
// that is said.
func TestWaitOfJFR(t *testing.T) {
	s := newScript(t)
	wait, unknown := aWait(6, t0+2*ms, t0+302*ms), aWait(6, t0+303*ms, t0+304*ms)
	for _, e := range []event.Event{wait[0], unknown[0]} {
		e.(*event.MonitorEnter).Source = event.SourceJFR
	}
	events := append(aProduce(1, 5, t0, t0+ms, t0+300*ms, t0+302*ms), wait[0], aRelease(5, t0+302*ms), wait[1])
	events = append(events, unknown...)
	s.play(append(events, aProduce(2, 6, t0, t0+305*ms, t0+306*ms, t0+307*ms)...)...)
	w := s.span(s.trace(2), spans.NameMonitorWait)
	adds(t, w)
	if len(w.Links) != 1 || w.Links[0].Span != s.span(s.trace(1), spans.NameWrite).ID ||
		attributeOf(w, spans.KeyMonitorSource) != "jfr" || attributeOf(w, spans.KeyJoin) != "inferred" {
		t.Errorf("links %v, %v", w.Links, w.Attributes)
	}
	s.wantBlocked(s.trace(1).Root(), 1, 300*ms)
	if len(s.waits) != 2 || len(s.waits[1].Holders) != 0 {
		t.Errorf("%d waits", len(s.waits))
	}
}

// Of all holders that are kept each has its link, many as they are.
func TestManyWriters(t *testing.T) {
	s := newScript(t)
	events := aProduce(100, 99, t0, t0+61*ms, t0+62*ms, t0+63*ms)
	for i := range int32(50) {
		at := t0 + 2*ms + event.Time(i)*ms
		events = append(append(events, aProduce(1+i, 1+i, t0, at+100*us, at+200*us, at+900*us)...), aRelease(1+i, at+300*us))
	}
	s.play(append(events, aWait(99, t0+ms, t0+60*ms)...)...)
	if n := len(s.span(s.trace(100), spans.NameMonitorWait).Links); n != 50 {
		t.Errorf("%d links to 50 writers", n)
	}
}

// What a long wait tells of is worth the whole of its trace, however short it
// was: else the link to the holder's write would lead nowhere.
func TestWhatIsLinkedToExplains(t *testing.T) {
	s := newScript(t)
	events := aProduce(3, 6, t0, t0+401*ms, t0+401*ms+100*us, t0+402*ms)
	events = append(events, aWait(6, t0+ms, t0+400*ms)...)
	events = append(events, aProduce(1, 5, t0, t0+ms+100*us, t0+ms+150*us, t0+2*ms)...)
	events = append(events, aRelease(5, t0+ms+400*us), aRelease(7, t0+400*ms))
	events = append(events, aProduce(2, 5, t0+50*ms, t0+51*ms, t0+51*ms+100*us, t0+52*ms)...)
	s.play(events...)
	for correlation, want := range map[int32]bool{1: true, 2: false} {
		if tr := s.trace(correlation); s.explains[tr.ID] != want {
			t.Errorf("request %d explains: %v, want %v", correlation, !want, want)
		}
	}
	for _, l := range s.span(s.trace(3), spans.NameMonitorWait).Links {
		if l.Trace == s.trace(1).ID {
			return
		}
	}
	t.Error("the wait has no link to the write that it tells of")
}
