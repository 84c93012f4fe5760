package assemble

import (
	"math"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

// A thread that never writes nor wakes anybody may wait as often as it likes.
func TestWaitsOfIdleThreadAreBounded(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(10 * maxGapWaits) {
		for _, e := range aWait(5, t0+i*ms, t0+i*ms+us) {
			s.Handle(e)
		}
	}
	if n := len(s.brokers[7].threads[5].gap.waits); n > maxGapWaits {
		t.Errorf("%d waits kept", n)
	}
}

// Waits whose end is lost leave their monitor when the thread is seen again,
// and a full table is begun anew rather than closed for good.
func TestLostWaits(t *testing.T) {
	s := newScript(t)
	for i := range 2 * maxMonitors {
		s.Handle(&event.MonitorEnter{Time: t0, Thread: aThread(5), Monitor: uint64(i)})
	}
	if n := len(s.brokers[7].monitors); n != 1 {
		t.Errorf("%d monitors for one waiting thread", n)
	}
	for i := range int32(maxMonitors + 1) {
		s.Handle(&event.MonitorEnter{Time: t0, Thread: aThread(100 + i), Monitor: 1<<32 + uint64(i)})
	}
	if n := len(s.brokers[7].monitors); n > maxMonitors {
		t.Errorf("%d monitors", n)
	}
	for _, e := range aWait(5, t0+ms, t0+2*ms) {
		s.Handle(e)
	}
	s.Close()
	if len(s.waits) != 1 || s.Stats().LostWaits == 0 {
		t.Errorf("%d waits, counts %+v", len(s.waits), s.Stats())
	}
}

// A commit whose end was lost is not blamed for what comes after the next.
func TestLostCommitEnd(t *testing.T) {
	s := newScript(t)
	s.play(&event.CommitStart{Time: t0, Device: 8 << 20, Transaction: 1},
		&event.CommitStart{Time: t0 + 5000*ms, Device: 8 << 20, Transaction: 2},
		&event.Commit{Start: t0 + 5000*ms, End: t0 + 5001*ms, Device: 8 << 20, Transaction: 2},
		aRequest(1, t0+5990*ms, 1, 11),
		&event.DirtyInode{Start: t0 + 6000*ms, End: t0 + 6300*ms, Thread: aThread(5), Device: 8 << 20, FileSystem: "ext4"},
		aWrite(5, t0+6000*ms, t0+6301*ms, 10, 11), aResponse(1, t0+6302*ms, 10))
	if c := s.requests[0].Cause; c != "ext4_dirty_inode" {
		t.Errorf("cause %s", c)
	}
	if st := s.Stats(); st.LostEnds != 1 {
		t.Errorf("counts %+v", st)
	}
}

// A process id comes again: the new broker is asked for, and is not given the
// old one's writes.
func TestBrokerRestartsWithSamePID(t *testing.T) {
	s := newScript(t)
	asked := 0
	s.o.Identity = func(int32) Identity { asked++; return Identity{Cluster: "cluster", Node: int32(asked)} }
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), &event.Gone{Time: t0 + 3*ms, PID: 7},
		aRequest(2, t0+50*ms, 1, 11), aResponse(2, t0+60*ms, 12))
	if asked != 2 {
		t.Errorf("the identity was asked for %d times", asked)
	}
	s.wantJoin(1, 10, "exact")
	s.wantNoJoin(2)
}

// A recording may say any time: no timer is set beyond the end of all time.
func TestImpossibleTimes(t *testing.T) {
	s := newScript(t)
	s.Handle(aRequest(1, math.MaxInt64-11_000*ms, 1, 11))
	s.play(aWrite(5, -ms, -us, 10, 11), aRequest(2, t0, 1, 11), aResponse(2, t0+ms, 10))
	if st := s.Stats(); st.BadTimes != 2 || len(s.requests) != 1 {
		t.Errorf("%d requests, counts %+v", len(s.requests), st)
	}
}
