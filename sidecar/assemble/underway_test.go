package assemble

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// What is under way is told of at any instant: requests without a response, by
// their objective, threads that wait for a lock, and a commit that has not ended.
func TestUnderWay(t *testing.T) {
	s := newScript(t)
	objective := func(topic string) time.Duration {
		if topic == "audit" {
			return time.Second
		}
		return 65 * time.Millisecond
	}
	at := func(at event.Time, requests, late, waits int) UnderWay {
		t.Helper()
		u := s.UnderWay(at, objective)
		if u.Requests != requests || u.Late != late || u.LockWaits != waits || (u.Oldest != nil) != (late > 0) {
			t.Errorf("after %v: %+v, want %d requests, %d of them late, %d waits", time.Duration(at-t0), u, requests, late, waits)
		}
		return u
	}
	patient := aRequest(3, t0+ms, 1, 13)
	patient.Partitions[0].Topic = "audit"
	wait, commit := aWait(6, t0+20*ms, t0+90*ms), aCommit(8, t0+10*ms, t0+80*ms, 0)

	at(t0, 0, 0, 0)
	for _, e := range []event.Event{aRequest(1, t0, 1, 11), patient, aRequest(2, t0+5*ms, 0, 12), commit[0], wait[0]} {
		s.Handle(e)
	}
	if u := at(t0+30*ms, 2, 0, 1); u.Commit == nil || u.Commit.For != 20*time.Millisecond || u.Commit.Transaction != 8 || u.LongestWait != 10*time.Millisecond {
		t.Errorf("%+v, commit %+v", u, u.Commit)
	}
	if u := at(t0+70*ms, 2, 1, 1); u.Oldest == nil || u.Oldest.For < 70*time.Millisecond || u.Oldest.Topic != "orders" {
		t.Errorf("%+v", u.Oldest)
	}
	for _, e := range []event.Event{commit[1], wait[1], aResponse(1, t0+91*ms, 10)} {
		s.Handle(e)
	}
	if u := at(t0+100*ms, 1, 0, 0); u.Commit != nil {
		t.Errorf("commit %+v", u.Commit)
	}
	at(t0+2000*ms, 1, 1, 0)
	s.Close()
	at(t0+3000*ms, 0, 0, 0)
}
