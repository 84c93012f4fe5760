package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func aFetch(replica, correlation int32, at event.Time, offset int64) *event.Fetch {
	return &event.Fetch{Arrival: at, LastByte: at, Conn: event.Conn(100 + replica), PID: 7, CorrelationID: correlation,
		Replica: replica, Partitions: []event.FetchPartition{{TopicPartition: tp, Offset: offset}}}
}

func aFetched(replica, correlation int32, at event.Time) *event.Fetched {
	return &event.Fetched{Time: at, Conn: event.Conn(100 + replica), CorrelationID: correlation}
}

func attributeOf(s *spans.Span, key string) any {
	for _, kv := range s.Attributes {
		if string(kv.Key) == key {
			return kv.Value.AsInterface()
		}
	}
	return nil
}

// Of two followers the slower one is named, by its first Fetch that shows that
// it has all of the batch.
func TestSlowestFollower(t *testing.T) {
	s := newScript(t)
	s.play(aFetch(2, 1, t0-ms, 10), aFetch(3, 1, t0-ms, 10), aRequest(1, t0, -1, 11),
		aWrite(5, t0+ms, t0+2*ms, 10, 11),
		aFetched(2, 1, t0+3*ms), aFetch(2, 2, t0+4*ms, 12), aFetched(2, 2, t0+6*ms), aFetch(2, 3, t0+8*ms, 14),
		aFetched(3, 1, t0+3*ms), aFetch(3, 2, t0+40*ms, 11), aFetched(3, 2, t0+41*ms), aFetch(3, 3, t0+900*ms, 12),
		aResponse(1, t0+901*ms, 10), aFetched(3, 3, t0+901*ms))
	wait := s.span(s.trace(1), spans.NameReplication)
	spanAt(t, wait, t0+2*ms, t0+900*ms)
	if f := attributeOf(wait, spans.KeyFollower); f != int64(3) {
		t.Errorf("follower %v", f)
	}
	spanAt(t, s.span(s.trace(1), spans.NameSend), t0+900*ms, t0+901*ms)
	if c := s.requests[0].Cause; c != "replication.wait" {
		t.Errorf("cause %q", c)
	}
}

// The follower that was waited for left the in-sync replicas: no Fetch tells.
func TestInSyncReplicasChanged(t *testing.T) {
	s := newScript(t)
	s.play(aFetch(3, 1, t0-ms, 10), aRequest(1, t0, -1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		aFetch(2, 2, t0+4*ms, 12), aFetched(2, 2, t0+5*ms), aResponse(1, t0+901*ms, 10))
	wait := s.span(s.trace(1), spans.NameReplication)
	spanAt(t, wait, t0+2*ms, t0+901*ms)
	if how := attributeOf(wait, spans.KeyReplication); how != "ISR change or unknown" {
		t.Errorf("replication %v", how)
	}
}

// Nobody fetches the log: it has one replica, and nothing to wait for.
func TestNoFollowers(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, -1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+9*ms, 10))
	spanAt(t, s.span(s.trace(1), spans.NameSend), t0+2*ms, t0+9*ms)
}

// What followers did is remembered only while a request waits for it.
func TestAdvancesAreBounded(t *testing.T) {
	s := newScript(t)
	for i := range int32(3 * maxAdvances) {
		s.Handle(aFetch(2, i, t0+event.Time(i)*us, int64(i)))
		s.Handle(aFetched(2, i, t0+event.Time(i)*us))
	}
	if n := len(s.brokers[7].logs[tp].followers[0].advances); n != 1 {
		t.Errorf("%d advances kept though nobody waits", n)
	}
	s.Handle(aRequest(1, t0+ms*1000, -1, 11))
	for i := range int32(3 * maxAdvances) {
		s.Handle(aFetch(2, i, t0+1000*ms+event.Time(i)*us, int64(3*maxAdvances+i)))
	}
	b := s.brokers[7]
	if n := len(b.logs[tp].followers[0].advances); n > maxAdvances {
		t.Errorf("%d advances", n)
	}
	if len(b.fetches) > maxFetches {
		t.Errorf("%d fetches in work", len(b.fetches))
	}
	s.Close()
}
