package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Of a broker without probes nothing is waited for after the response, and
// nothing is kept.
func TestPacketsOnly(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(100) {
		q := aRequest(int32(i), t0+i*ms, 1, 11)
		q.PID = 0
		s.Handle(q)
		s.Handle(aResponse(int32(i), t0+i*ms+120*us, int64(i)))
	}
	s.Tick(t0 + 100*ms)
	b := s.brokers[0]
	if st := s.Stats(); st.Finished != 100 || st.Unjoined != 100 || len(b.byBatch) != 0 || b.inFlight != 0 {
		t.Errorf("%+v; %d batches are waited for", st, len(b.byBatch))
	}
	if r := s.requests[99]; *r.Latency != int64(120*us) || *r.Partitions[0].BaseOffset != 99 {
		t.Errorf("%+v", r)
	}
}

// But names are: they are filled in as they are elsewhere.
func TestPacketsOnlyLateName(t *testing.T) {
	s := newScript(t)
	q, a := aRequest(1, t0, 1, 11), aResponse(1, t0+ms, 10)
	q.PID, q.Partitions[0].Topic, q.Partitions[0].TopicID = 0, "", [16]byte{1}
	a.Partitions[0].Topic, a.Partitions[0].TopicID = "", [16]byte{1}
	s.Handle(q)
	s.Handle(a)
	s.Handle(&event.TopicName{Time: t0 + 100*ms, ID: [16]byte{1}, Name: "orders"})
	s.Tick(t0 + 3000*ms)
	if len(s.requests) != 1 || s.requests[0].Partitions[0].Topic != "orders" {
		t.Errorf("%+v", s.requests)
	}
}
