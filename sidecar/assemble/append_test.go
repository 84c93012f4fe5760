package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

func encrypted(t testing.TB) *script {
	s := newScript(t)
	s.o.Identity = func(int32) Identity { return Identity{Cluster: "cluster", Node: 1, Encrypted: true} }
	return s
}

func aHandlersWrite(tid int32, from, to event.Time, base int64) *event.Write {
	w := aWrite(tid, from, to, base, uint32(base))
	w.Name = "data-plane-kafk"
	return w
}

// A request that cannot be read is traced from its append on, with the lock
// that its handler waited for and who held it.
func TestAppendOfEncrypted(t *testing.T) {
	s := encrypted(t)
	events := []event.Event{aHandlersWrite(5, t0, t0+300*ms, 10), aRelease(5, t0+301*ms), aHandlersWrite(6, t0+303*ms, t0+304*ms, 12)}
	s.play(append(events, aWait(6, t0+2*ms, t0+302*ms)...)...)
	second := s.traces[spans.PlaceID("cluster", [16]byte{}, "orders", 3, 12)]
	if len(s.requests) != 0 || second == nil {
		t.Fatalf("%d requests, traces %v", len(s.requests), s.traces)
	}
	root := second.Root()
	spanAt(t, root, t0+2*ms, t0+304*ms)
	if root.Name != "append orders-3" || root.Kind != spans.Internal || attributeOf(root, spans.KeyBaseOffset) != int64(12) {
		t.Errorf("root %q of kind %v: %v", root.Name, root.Kind, root.Attributes)
	}
	first := spans.PlaceID("cluster", [16]byte{}, "orders", 3, 10)
	if wait := s.span(second, spans.NameMonitorWait); len(wait.Links) != 1 || wait.Links[0].Trace != first || s.traces[first] == nil {
		t.Errorf("links %v, want the append that held the lock", wait.Links)
	}
	if st := s.Stats(); st.Appends != 2 || st.Requests != 0 || st.Finished != 0 || st.Exact != 0 {
		t.Errorf("counts %+v", st)
	}
}

// What is a request's, a follower's, the broker's own or a marker is none.
func TestNoAppendOfEncrypted(t *testing.T) {
	s := encrypted(t)
	fetcher, own, marker := aWrite(5, t0+ms, t0+2*ms, 20, 1), aHandlersWrite(6, t0+ms, t0+2*ms, 30), aHandlersWrite(7, t0+ms, t0+2*ms, 40)
	fetcher.Name = "ReplicaFetcherT"
	own.Topic = "__consumer_offsets"
	marker.Attributes = controlBatch
	slow := aRequest(1, t0, -1, 11) // rewritten, and answered late
	s.play(fetcher, own, marker, slow, aHandlersWrite(8, t0+ms, t0+2*ms, 10), aResponse(1, t0+3000*ms, 10))
	s.wantJoin(1, 10, "exact")
	if len(s.traces) != 1 {
		t.Errorf("%d traces, want the request's", len(s.traces))
	}
}

// Requests of another listener that come all the time do not keep an append
// from its trace: they are none of those that it could be for.
func TestAppendAmongRequests(t *testing.T) {
	s := encrypted(t)
	events := []event.Event{aHandlersWrite(5, t0, t0+ms, 10)}
	for i := range event.Time(50) { // always one is waited for, or two
		from := t0 + 2*ms + i*100*ms
		r, answer := aRequest(int32(i), from, -1, uint32(i)), aResponse(int32(i), from+150*ms, 100+2*int64(i))
		r.Conn, answer.Conn = event.Conn(1+i), event.Conn(1+i)
		events = append(events, r, aWrite(6, from+ms, from+2*ms, 100+2*int64(i), uint32(i)), answer)
	}
	q := event.NewQueue(1 << 10)
	for _, e := range events {
		q.Push(event.Packets, e)
	}
	q.Advance(t0+4000*ms, s.Handle)
	if n := s.Stats().Appends; n != 1 {
		t.Errorf("%d appends while requests go on", n)
	}
}
