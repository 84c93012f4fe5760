package assemble

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
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

// A request of thousands of partitions, of which few are written, is not kept
// whole; its trace says the same.
func TestManyPartitions(t *testing.T) {
	s := newScript(t)
	r := aRequest(1, t0, 1, 11)
	for i := range int32(10_000) {
		q := r.Partitions[0]
		q.Partition = 100 + i
		r.Partitions = append(r.Partitions, q)
	}
	w := aWrite(5, t0+ms, t0+2*ms, 10, 11)
	w.Partition = 9000
	answer := aResponse(1, t0+3*ms, -1)
	answer.Partitions[0].Partition, answer.Partitions[0].BaseOffset = 9000, 10
	s.play(r, w, answer)
	root := s.trace(1).Root()
	if n := attributeOf(root, spans.KeyBatchCount); n != int64(20_002) {
		t.Errorf("%v records", n)
	}
	s.span(s.trace(1), "append orders-9000")
	if len(s.requests[0].Partitions) != 10_001 || len(r.Partitions) > maxListed+1 {
		t.Errorf("%d in the row, %d kept", len(s.requests[0].Partitions), len(r.Partitions))
	}
}

// What is in flight is bounded by partitions too.
func TestPartitionsInFlight(t *testing.T) {
	s := newScript(t)
	const each = 10_000
	for i := range int32(100) {
		r := aRequest(i, t0, 1, 11)
		r.Partitions = slices.Repeat(r.Partitions, each)
		for k := range r.Partitions {
			r.Partitions[k].Partition = int32(k)
		}
		s.Handle(r)
	}
	if b := s.brokers[7]; b.parts > maxParts || s.Stats().Dropped["too many in flight"] != 100-maxParts/each {
		t.Errorf("%d partitions in flight, counts %+v", b.parts, s.Stats())
	}
	s.Close()
	if n := s.brokers[7].parts; n != 0 {
		t.Errorf("%d partitions left", n)
	}
}

// Whoever names an unknown topic in partitions by the thousand does not hold up
// the others when its name is learned, or when it is given up: with a search for
// each it took two minutes.
func TestManyUnnamed(t *testing.T) {
	s := newScript(t)
	began := time.Now()
	for i := range int32(15) {
		r := aRequest(i, t0, 1, 11)
		r.Partitions = slices.Repeat(r.Partitions, 1<<14)
		for k := range r.Partitions {
			r.Partitions[k].Topic, r.Partitions[k].TopicID = "", [16]byte{1}
		}
		s.Handle(r)
	}
	s.Handle(&event.TopicName{Time: t0 + ms, PID: 7, ID: [16]byte{1}, Name: "orders"})
	s.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	if n := len(s.brokers[7].unnamed); n != 0 {
		t.Errorf("%d ids left", n)
	}
}
