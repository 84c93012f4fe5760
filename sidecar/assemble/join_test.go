package assemble

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func TestJoinByBatch(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10))
	s.wantJoin(1, 10, "exact")
	tr := s.trace(1)
	if tr.ID != spans.PlaceID("cluster", [16]byte{}, "orders", 3, 10) {
		t.Errorf("trace id %s is not the place's", tr.ID)
	}
	if w := s.span(tr, "fs.write"); w.End-w.Start != int64(ms) {
		t.Errorf("fs.write takes %d", w.End-w.Start)
	}
	if *s.requests[0].Latency != int64(3*ms) {
		t.Errorf("latency %d", *s.requests[0].Latency)
	}
}

// Two requests with the same bytes, written in the other order: the base
// offset decides.
func TestIdenticalBatches(t *testing.T) {
	s := newScript(t)
	a, b := aRequest(1, t0, 1, 11), aRequest(2, t0, 1, 11)
	b.Conn = 2
	rb := aResponse(2, t0+6*ms, 10)
	rb.Conn = 2
	s.play(a, b, aWrite(5, t0+ms, t0+2*ms, 10, 11), aWrite(6, t0+3*ms, t0+4*ms, 12, 11), aResponse(1, t0+5*ms, 12), rb)
	s.wantJoin(1, 12, "exact")
	s.wantJoin(2, 10, "exact")
}

// A write that began before the request came is none of it.
func TestEarlierWrite(t *testing.T) {
	s := newScript(t)
	s.play(aWrite(5, t0-ms, t0+2*ms, 10, 11), aRequest(1, t0, 1, 11), aResponse(1, t0+3*ms, -1))
	s.wantNoJoin(1)
}

// The broker had the batch already: no write, and a link to the first.
func TestDuplicate(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10),
		aRequest(2, t0+10*ms, 1, 11), aResponse(2, t0+12*ms, 10))
	s.wantNoJoin(2)
	root := s.trace(2).Root()
	if len(root.Links) != 1 || root.Links[0].Trace != s.trace(1).ID {
		t.Errorf("links of the duplicate: %v", root.Links)
	} else if root.Links[0].Span != s.span(s.trace(1), "fs.write").ID {
		t.Error("the link does not lead to the write")
	}
	if s.trace(2).ID == s.trace(1).ID {
		t.Error("the duplicate has the first one's trace id")
	}
}

func TestRewritten(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 99), aResponse(1, t0+3*ms, 10))
	s.wantJoin(1, 10, "exact")
}

func TestRefused(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aRefusal(1, t0+ms, 6))
	s.wantNoJoin(1)
	if e := s.trace(1).Root().Error; e != "NOT_LEADER_OR_FOLLOWER" {
		t.Errorf("status %q", e)
	}
	if st := s.Stats(); st.Refused != 1 || st.Unjoined != 0 {
		t.Errorf("counts %+v", st)
	}
}

func TestNoAcks(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aRequest(2, t0+5*ms, 0, 12))
	s.wantJoin(1, 10, "exact")
	s.wantNoJoin(2)
	if r := s.requests[0]; *r.End != int64(t0+2*ms) || r.Partitions[0].BaseOffset != nil {
		t.Errorf("end %d, base offset %v: want the write's end, and none", *r.End, r.Partitions[0].BaseOffset)
	}
	if s.requests[1].End != nil {
		t.Error("the request that was never written has an end")
	}
}

// Nothing decides between two of the same bytes without acks.
func TestNoAcksIdentical(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 0, 11), aRequest(2, t0+100*us, 0, 11),
		aWrite(5, t0+ms, t0+2*ms, 10, 11), aWrite(5, t0+3*ms, t0+4*ms, 12, 11))
	s.wantJoin(1, 10, "inferred")
	s.wantJoin(2, 12, "inferred")
}

func TestConnectionLost(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		&event.ConnLost{Time: t0 + 3*ms, Conn: 1, Reason: "closed"})
	s.wantJoin(1, 10, "exact")
	if s.requests[0].End != nil || s.trace(1).Root().Error != "no response: connection closed" {
		t.Errorf("end %v, status %q", s.requests[0].End, s.trace(1).Root().Error)
	}
}

func TestUnanswered(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aRequest(2, t0+200_000*ms, 1, 12), aResponse(2, t0+200_001*ms, -1))
	if len(s.requests) != 2 || s.requests[0].CorrelationID != 1 {
		t.Fatalf("the first request did not expire: %v", s.requests)
	}
}

// One request of two partitions: one trace, an append each, in the order in
// which they were written.
func TestPartitions(t *testing.T) {
	s := newScript(t)
	r := aRequest(1, t0, 1, 11)
	other := event.TopicPartition{Topic: "audit", Partition: 0}
	r.Partitions = append(r.Partitions, event.RequestPartition{TopicPartition: other, Bytes: 300, CRC: 12})
	w := aWrite(5, t0+ms, t0+2*ms, 70, 12)
	w.TopicPartition, w.BatchBytes = other, 300
	p := aResponse(1, t0+5*ms, 10)
	p.Partitions = append([]event.ResponsePartition{{TopicPartition: other, BaseOffset: 70}}, p.Partitions...)
	s.play(r, w, aWrite(5, t0+3*ms, t0+4*ms, 10, 11), p)
	tr := s.trace(1)
	if tr.Root().Name != "produce" {
		t.Errorf("root %q: two topics have no common name", tr.Root().Name)
	}
	if a, b := s.span(tr, "append audit-0"), s.span(tr, "append orders-3"); a.End != b.Start {
		t.Error("the appends do not follow one another")
	}
	if tr.ID != spans.PlaceID("cluster", [16]byte{}, "orders", 3, 10) {
		t.Error("the trace id is not that of the first partition of the request")
	}
}

// A new topic's name is known only when its first append has been answered.
func TestTopicLearnedLate(t *testing.T) {
	s := newScript(t)
	r, p := aRequest(1, t0, 1, 11), aResponse(1, t0+3*ms, 10)
	r.Partitions[0].Topic, r.Partitions[0].TopicID = "", [16]byte{9}
	p.Partitions[0].TopicID = [16]byte{9}
	s.play(r, aWrite(5, t0+ms, t0+2*ms, 10, 11), p)
	s.wantJoin(1, 10, "exact")
	if s.joined[0].Topic != "orders" {
		t.Errorf("topic %q", s.joined[0].Topic)
	}
}

// Packets and probes are stamped by different clocks: a quick write may seem to
// end after its response.
func TestWriteAfterResponse(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 11), aResponse(1, t0+50*us, 10), aWrite(5, t0+20*us, t0+90*us, 10, 11))
	s.wantJoin(1, 10, "exact")
}

// A write that failed put nothing at its offset; the next one there is meant.
func TestFailedWrite(t *testing.T) {
	s := newScript(t)
	failed := aWrite(5, t0+ms, t0+2*ms, 10, 11)
	failed.Bytes = -28
	again := aRequest(2, t0+4*ms, 1, 11)
	s.play(aRequest(1, t0, 1, 11), failed, aRefusal(1, t0+3*ms, 56),
		again, aWrite(5, t0+5*ms, t0+6*ms, 10, 11), aResponse(2, t0+7*ms, 10))
	s.wantJoin(1, 10, "inferred")
	s.wantJoin(2, 10, "exact")
}

// The broker had the batch already, and its write is long forgotten: a trace of
// its own all the same, not the first one's again.
func TestLateDuplicate(t *testing.T) {
	s := newScript(t)
	events := []event.Event{aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+3*ms, 10)}
	for i := range event.Time(maxWrites + 1) {
		events = append(events, aWrite(5, t0+4*ms+i*us, t0+4*ms+i*us, 12+2*int64(i), 99))
	}
	s.play(append(events, aRequest(2, t0+5000*ms, 1, 11), aResponse(2, t0+5001*ms, 10))...)
	s.wantNoJoin(2)
	if st := s.Stats(); st.Duplicates != 1 || st.Unjoined != 0 || s.trace(2).ID == s.trace(1).ID {
		t.Errorf("counts %+v", st)
	}
}

// The client gave up after 30 s: that is slow, and where the time went is not
// known.
func TestGivenUp(t *testing.T) {
	var kept Candidate
	a := New(Options{Clock: &event.Clock{}, Output: keeper{&kept}, Rows: Rows{Traces: true}})
	a.Handle(aRequest(1, t0, 1, 11))
	a.Handle(&event.ConnLost{Time: t0 + 30_000*ms, Conn: 1, Reason: "closed"})
	a.Close()
	root := kept.BuildTrace().Root()
	if took := kept.Summary().Latency; took != 30*time.Second || root.End-root.Start != int64(30_000*ms) {
		t.Errorf("latency %v, root of %v", took, time.Duration(root.End-root.Start))
	}
	if c := kept.(*request).verdict.cause; c != spans.CauseUnexplained {
		t.Errorf("cause %q", c)
	}
}

// A retry on another connection while the first is still in work: one write,
// the same base offset in both responses. The batch is the first's to be
// answered, the other one is its duplicate.
func TestRetryInWork(t *testing.T) {
	s := newScript(t)
	retry, again := aRequest(2, t0+30*ms, 1, 11), aResponse(2, t0+52*ms, 10)
	retry.Conn, again.Conn = 2, 2
	s.play(aRequest(1, t0, 1, 11), retry, aWrite(5, t0+40*ms, t0+50*ms, 10, 11), aResponse(1, t0+51*ms, 10), again)
	s.wantJoin(1, 10, "exact")
	s.wantNoJoin(2)
	if st := s.Stats(); st.Duplicates != 1 || st.Unjoined != 0 {
		t.Errorf("counts %+v", st)
	}
	if root := s.trace(2).Root(); len(root.Links) != 1 || root.Links[0].Trace != s.trace(1).ID {
		t.Errorf("links of the duplicate: %v", root.Links)
	}
}

// Without acks a rewritten batch can only be inferred, and only from a write
// that shows that it was rewritten.
func TestRewrittenWithoutAcks(t *testing.T) {
	s := newScript(t)
	w := aWrite(5, t0+ms, t0+2*ms, 10, 99)
	w.Attributes = 8 // LogAppendTime
	s.play(aRequest(1, t0, 0, 11), aRequest(2, t0+5*ms, 0, 12), w, aWrite(5, t0+6*ms, t0+7*ms, 12, 98))
	s.wantJoin(1, 10, "inferred")
	s.wantNoJoin(2)
}

// The name of a topic id is learned after the write: an acks=0 request, which
// no response names, is joined then.
func TestTopicNamed(t *testing.T) {
	s := newScript(t)
	r := aRequest(1, t0, 0, 11)
	r.Partitions[0].Topic, r.Partitions[0].TopicID = "", [16]byte{9}
	s.play(r, aWrite(5, t0+ms, t0+2*ms, 10, 11), &event.TopicName{Time: t0 + 100*ms, PID: 7, ID: [16]byte{9}, Name: "orders"})
	s.wantJoin(1, 10, "exact")
	if s.joined[0].Topic != "orders" || *s.requests[0].End != int64(t0+2*ms) {
		t.Errorf("topic %q, end %d", s.joined[0].Topic, *s.requests[0].End)
	}
	if n := len(s.brokers[7].unnamed); n != 0 {
		t.Errorf("%d ids still waited for", n)
	}
}

// Behind a hole in its stream a request comes after its write: it is found at
// once, though without acks nothing else would tell.
func TestRequestAfterItsWrite(t *testing.T) {
	s := newScript(t)
	late := aRequest(1, t0, 0, 11)
	late.LastByte = t0 + 900*ms
	s.play(aWrite(5, t0+ms, t0+2*ms, 10, 11), aWrite(5, t0+3*ms, t0+4*ms, 12, 11), late)
	s.wantJoin(1, 10, "exact")
}

// Many identical requests in flight cost no more than they must.
func TestManyRivals(t *testing.T) {
	s := newScript(t)
	var events []event.Event
	for i := range event.Time(20_000) {
		events = append(events, aRequest(int32(i), t0+i*us, 0, 11))
	}
	for i := range event.Time(20_000) {
		events = append(events, aWrite(5, t0+100*ms+i*us, t0+100*ms+i*us, int64(2*i), 11))
	}
	begin := time.Now()
	s.play(events...)
	if st := s.Stats(); st.Inferred != 20_000 {
		t.Errorf("counts %+v", st)
	}
	if d := time.Since(begin); d > 20*time.Second { // quadratic: minutes
		t.Errorf("took %v", d)
	}
}

// A base offset says more than equal bytes: what an acks=0 request was given
// because it was the only candidate goes to the one whose response names it.
func TestBaseOffsetBeatsBytes(t *testing.T) {
	s := newScript(t)
	never := aRequest(1, t0, 0, 11)
	late := aRequest(2, t0, 1, 11) // behind a hole in its stream
	late.Conn, late.LastByte = 2, t0+3*ms
	answer := aResponse(2, t0+4*ms, 10)
	answer.Conn = 2
	s.play(never, aWrite(5, t0+ms, t0+2*ms, 10, 11), late, answer)
	s.wantJoin(2, 10, "exact")
	s.wantNoJoin(1)
	if st := s.Stats(); st.Exact != 1 || st.Unanswered != 1 {
		t.Errorf("counts %+v", st)
	}
}
