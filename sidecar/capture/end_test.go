package capture

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

func endsOf(events []event.Event) (out []*event.ConnLost) {
	for _, e := range events {
		if l, ok := e.(*event.ConnLost); ok {
			out = append(out, l)
		}
	}
	return out
}

// The end of a connection is told once, with who brought it about, if and
// only if a produce request was handed on in it; acks=0 included.
func TestEndIsTold(t *testing.T) {
	const client, broker = false, true
	fin := func(t *talk, from bool) { t.packet(from, flagFIN|flagACK, nil) }
	for name, c := range map[string]struct {
		end      func(*talk)
		reason   string
		byBroker bool
	}{
		"client closes":  {func(t *talk) { fin(t, client); fin(t, broker) }, "closed", false},
		"broker closes":  {func(t *talk) { fin(t, broker); fin(t, client) }, "closed", true},
		"broker alone":   {func(t *talk) { fin(t, broker) }, "closed", true},
		"broker resets":  {func(t *talk) { t.packet(broker, flagRST, nil) }, "reset", true},
		"client resets":  {func(t *talk) { t.packet(client, flagRST, nil) }, "reset", false},
		"reset by close": {func(t *talk) { fin(t, broker); t.packet(client, flagRST, nil) }, "closed", true},
		"unread bytes":   {func(t *talk) { fin(t, client); t.packet(broker, flagRST, nil) }, "reset", true},
		"again":          {func(t *talk) { t.seq = [2]uint32{7, 8}; t.open() }, "closed", false},
		"silence":        {func(t *talk) { *t.at += 1000e9 }, "expired", false},
	} {
		for _, acks := range []int16{0, 1} {
			for _, produces := range []bool{true, false} {
				at := int64(1_700_000_000_000_000_000)
				talk := newTalk(testRand(t, 51), 1, &at)
				talk.version = 9
				talk.open()
				talk.metadata()
				q, a := talk.produceRequest()
				q.Acks, q.Version = acks, 9
				switch {
				case produces && acks == 0:
					talk.call(q, nil)
				case produces:
					talk.call(q, a)
				}
				c.end(talk)
				at += 200e9
				other := newTalk(testRand(t, 1), 2, &at)
				other.open()
				got, _ := run(append(talk.packets, other.packets...), nil, Bounds{})
				ends := endsOf(got.events)
				switch {
				case !produces && len(ends) > 0:
					t.Errorf("%s: told of a connection without a request: %+v", name, ends[0])
				case produces && len(ends) != 1:
					t.Errorf("%s, acks=%d: told %d times", name, acks, len(ends))
				case produces && (ends[0].Reason != c.reason || ends[0].ByBroker != c.byBroker):
					t.Errorf("%s, acks=%d: %+v", name, acks, ends[0])
				}
			}
		}
	}
}

// What the client still sends after the broker's end is told to be lost too.
func TestRequestAfterTheBrokersEnd(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 52), 1, &at)
	talk.version = 9
	talk.open()
	send := func() {
		q, _ := talk.produceRequest()
		q.Acks, q.Version = 0, 9
		talk.call(q, nil)
	}
	send()
	talk.packet(true, flagFIN|flagACK, nil)
	send()
	send()
	talk.packet(true, flagRST, nil)
	got, _ := run(talk.packets, nil, Bounds{})
	ends := endsOf(got.events)
	if len(requestsOf(got.events)) != 3 || len(ends) != 2 || !ends[0].ByBroker || !ends[1].ByBroker {
		t.Fatalf("%+v", ends)
	}
	if last := got.events[len(got.events)-1]; last != event.Event(ends[1]) {
		t.Fatalf("the last event is %+v", last)
	}
}
