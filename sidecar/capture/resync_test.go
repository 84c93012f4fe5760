package capture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// truth is what the undamaged packets say: by client port and correlation id,
// the requests and responses in a canonical form.
type truth struct {
	requests, responses map[string]string
	ids                 map[string]string // message ids by partition
	contexts            map[string]string
	arrival             map[string]int64
}

func askKey(port uint16, correlation int32) string { return fmt.Sprint(port, " ", correlation) }

// askText is all of a request that damage must not change. A topic's name
// that only an id stands for may be unknown after it.
func askText(q *event.Request) string {
	x := *q
	x.Arrival, x.LastByte, x.ArrivalUnix, x.LastByteUnix, x.Conn, x.PID = 0, 0, 0, 0, 0, 0
	x.Contexts, x.ContextsOmitted, x.HeadersCut = nil, 0, false
	x.Partitions = slices.Clone(q.Partitions)
	for i := range x.Partitions {
		x.Partitions[i].MessageIDs = nil
		if q.APIVersion >= 13 {
			x.Partitions[i].Topic = ""
		}
	}
	x.Client, x.Broker = brokerAddr, brokerAddr // IPv6 or IPv4
	return fmt.Sprintf("%+v", x)
}

func answerText(a *event.Response) string {
	x := event.Response{CorrelationID: a.CorrelationID, ThrottleMS: a.ThrottleMS, Partitions: slices.Clone(a.Partitions)}
	for i := range x.Partitions {
		if x.Partitions[i].TopicID != ([16]byte{}) {
			x.Partitions[i].Topic = ""
		}
	}
	return fmt.Sprintf("%+v", x)
}

func truthOf(t testing.TB, events []event.Event) *truth {
	t.Helper()
	w := &truth{map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}, map[string]int64{}}
	ports := map[event.Conn]uint16{}
	for _, e := range events {
		switch e := e.(type) {
		case *event.Request:
			ports[e.Conn] = e.Client.Port()
			k := askKey(e.Client.Port(), e.CorrelationID)
			if _, twice := w.requests[k]; twice {
				t.Fatalf("%s is no key", k)
			}
			w.requests[k], w.arrival[k], w.contexts[k] = askText(e), e.ArrivalUnix, fmt.Sprint(e.Contexts)
			for i, p := range e.Partitions {
				w.ids[fmt.Sprint(k, " ", i)] = fmt.Sprint(p.MessageIDs)
			}
		case *event.Response:
			w.responses[askKey(ports[e.Conn], e.CorrelationID)] = answerText(e)
		}
	}
	return w
}

// check holds what damaged packets gave against the truth: nothing is
// invented, told twice or given to another, and what is missing is counted.
// It returns which requests and responses were found.
func (w *truth) check(t testing.TB, what string, events []event.Event, s Stats) (requests, responses map[string]bool) {
	t.Helper()
	requests, responses = map[string]bool{}, map[string]bool{}
	type place struct {
		conn        event.Conn
		correlation int32
	}
	asked := map[place]string{}
	for _, e := range events {
		switch e := e.(type) {
		case *event.Request:
			k := askKey(e.Client.Port(), e.CorrelationID)
			if got := askText(e); w.requests[k] != got {
				t.Fatalf("%s: invented %s\nshould be %s", what, got, w.requests[k])
			}
			if text := fmt.Sprint(e.Contexts); !e.HeadersCut && text != w.contexts[k] {
				t.Fatalf("%s: contexts %s of %s, should be %s", what, text, k, w.contexts[k])
			}
			if requests[k] {
				t.Fatalf("%s: twice %s", what, k)
			}
			for i, p := range e.Partitions {
				if len(p.MessageIDs) > 0 && fmt.Sprint(p.MessageIDs) != w.ids[fmt.Sprint(k, " ", i)] {
					t.Fatalf("%s: %s has ids %v", what, k, p.MessageIDs)
				}
			}
			requests[k] = true
			asked[place{e.Conn, e.CorrelationID}] = k
		case *event.Response:
			k, ok := asked[place{e.Conn, e.CorrelationID}]
			if got := answerText(e); !ok || responses[k] || w.responses[k] != got {
				t.Fatalf("%s: response to %q (twice: %v) %s\nshould be %s", what, k, responses[k], got, w.responses[k])
			}
			responses[k] = true
		}
	}
	if s.Panics > 0 {
		t.Fatalf("%s: %+v", what, s)
	}
	if len(requests) < len(w.requests) && s.UnsyncedBytes+s.MissedBytes+s.HeldOver+s.Cut+s.Lost["partial"]+s.Gaps == 0 && what[0] != '@' {
		t.Fatalf("%s: %d of %d requests, and nothing is counted: %+v", what, len(requests), len(w.requests), s)
	}
	return requests, responses
}

// decode runs packets that nobody needs afterwards.
func decode(packets []Packet, ls []Listener, b Bounds) ([]event.Event, Stats) {
	var events []event.Event
	d := NewDecoder(Options{Topics: newBook(), MessageIDHeader: "id", Bounds: b, Emit: func(e event.Event) { events = append(events, e) }})
	d.SetListeners(ls)
	var last int64
	for _, p := range packets {
		d.Packet(p)
		last = max(last, p.Unix)
	}
	d.Tick(event.Time(last + 2e9))
	return events, d.Stats()
}

func fixturePackets(t testing.TB) (packets []Packet) {
	t.Helper()
	blocks, err := readAll(bytes.NewReader(readFixture(t)))
	if err != io.EOF {
		t.Fatal(err)
	}
	for _, b := range blocks {
		packets = append(packets, b.Packet)
	}
	return packets
}

// behead cuts n bytes off the beginning of a packet's payload, false where it
// has no more.
func behead(p Packet, n int) (Packet, bool) {
	var s segment
	if s.parse(&p) != isTCP || s.end-s.start <= n || p.WireLength > len(p.Data) {
		return p, false
	}
	at, _ := networkLayer(p.LinkType, p.Data)
	tcp := at + int(p.Data[at]&15)*4
	data := append(slices.Clone(p.Data[:s.start]), p.Data[s.start+n:]...)
	binary.BigEndian.PutUint32(data[tcp+4:], s.seq+uint32(n))
	if total := binary.BigEndian.Uint16(data[at+2:]); total > 0 {
		binary.BigEndian.PutUint16(data[at+2:], total-uint16(n))
	}
	p.Data, p.WireLength = data, 0
	return p, true
}

// attach starts at a packet, or within it, and checks what came of it. It
// returns how many requests that came later as a whole were missed, but for
// those that still wait to be confirmed.
func (w *truth) attach(t testing.TB, what string, packets []Packet, ls []Listener, b Bounds) (missed int) {
	t.Helper()
	events, s := decode(packets, ls, b)
	found, _ := w.check(t, what, events, s)
	for k, at := range w.arrival {
		if at > packets[0].Unix && !found[k] {
			missed++
		}
	}
	return missed - s.Suspected
}

// Attaching at every packet of the fixture, and within every 7th.
func TestAttachAnywhereInTheFixture(t *testing.T) {
	packets := fixturePackets(t)
	events, _ := decode(packets, fixtureListeners(), Bounds{})
	w := truthOf(t, events)
	worst, all, runs := 0, 0, 0
	begin := func(what string, from []Packet) {
		n := w.attach(t, what, from, fixtureListeners(), Bounds{})
		worst, all, runs = max(worst, n), all+n, runs+1
	}
	step := 1
	if testing.Short() {
		step = 17
	}
	r := testRand(t, 71)
	for i := 0; i < len(packets); i += step {
		begin(fmt.Sprintf("@packet %d", i), packets[i:])
		if i%7 > 0 {
			continue
		}
		for _, n := range []int{1, 3, 4, 9, 14, 1 + r.IntN(2000)} {
			if p, ok := behead(packets[i], n); ok {
				begin(fmt.Sprintf("@packet %d, byte %d", i, n), append([]Packet{p}, packets[i+1:]...))
			}
		}
	}
	t.Logf("%d packets, %d requests, %d runs: at most %d whole requests were missed, %d in all", len(packets), len(w.requests), runs, worst, all)
	if worst > 1 {
		t.Errorf("a boundary was found after %d requests only", worst)
	}
}

// damage is one way in which packets get lost, repeated or out of order.
var damages = map[string]func(r *rand.Rand, ps []Packet) []Packet{
	"single losses": func(r *rand.Rand, ps []Packet) []Packet { return disturb(r, ps, 0.02, 0, 0) },
	"repeated":      func(r *rand.Rand, ps []Packet) []Packet { return disturb(r, ps, 0, 0.2, 0) },
	"reordered":     func(r *rand.Rand, ps []Packet) []Packet { return disturb(r, ps, 0, 0, 0.2) },
	"everything":    func(r *rand.Rand, ps []Packet) []Packet { return disturb(r, ps, 0.03, 0.1, 0.1) },
	"bursts":        func(r *rand.Rand, ps []Packet) []Packet { return overflow(r, ps, 5, 8) },
	"overflows":     func(r *rand.Rand, ps []Packet) []Packet { return overflow(r, ps, 2, len(ps)/4) },
	"cut to 96":     func(_ *rand.Rand, ps []Packet) []Packet { return snap(ps, 96) },
	"cut to 256":    func(_ *rand.Rand, ps []Packet) []Packet { return snap(ps, 256) },
	"cut to 2000":   func(_ *rand.Rand, ps []Packet) []Packet { return snap(ps, 2000) },
	"cut and lost":  func(r *rand.Rand, ps []Packet) []Packet { return disturb(r, snap(ps, 256), 0.02, 0, 0.1) },
}

// overflow drops runs of packets.
func overflow(r *rand.Rand, ps []Packet, runs, longest int) []Packet {
	out := slices.Clone(ps)
	for range runs {
		at := r.IntN(len(out))
		out = slices.Delete(out, at, min(len(out), at+1+r.IntN(max(longest, 1))))
	}
	return out
}

// snap cuts packets to a snap length.
func snap(ps []Packet, n int) []Packet {
	out := slices.Clone(ps)
	for i := range out {
		if len(out[i].Data) > n {
			out[i].WireLength = max(out[i].WireLength, len(out[i].Data))
			out[i].Data = out[i].Data[:n:n]
		}
	}
	return out
}

// withEnds puts back the last segment of each half: what is missing behind it
// nobody could count.
func withEnds(whole, damaged []Packet) []Packet {
	type half struct{ src, dst endpoint }
	last, kept := map[half]Packet{}, map[half]uint32{}
	var s segment
	for _, p := range whole {
		if s.parse(&p); s.length() > 0 {
			last[half{s.src, s.dst}] = p
		}
	}
	for _, p := range damaged {
		if s.parse(&p); s.length() > 0 {
			kept[half{s.src, s.dst}] = s.seq
		}
	}
	end := damaged[len(damaged)-1].Unix
	for h, p := range last {
		if s.parse(&p); kept[h] != s.seq {
			p.Unix = end
			damaged = append(damaged, p)
		}
	}
	return damaged
}

func TestDamageInventsNothing(t *testing.T) {
	listen := []Listener{{brokerAddr, 42}}
	for what, damage := range damages {
		sent, found, answered, back := 0, 0, 0, 0
		for seed := range uint64(40) {
			r := rand.New(rand.NewPCG(seed, 72))
			packets, _, _ := conversation(r, 3, 15)
			events, _ := decode(packets, listen, Bounds{})
			w := truthOf(t, events)
			got, s := decode(withEnds(packets, damage(r, packets)), listen, Bounds{HoleTimeout: 2 * time.Millisecond})
			q, a := w.check(t, fmt.Sprintf("%s, seed %d", what, seed), got, s)
			sent, found = sent+len(w.requests), found+len(q)
			answered, back = answered+len(w.responses), back+len(a)
		}
		t.Logf("%-13s %4d of %d requests, %4d of %d responses", what, found, sent, back, answered)
		if what == "repeated" && found < sent || what == "reordered" && found < sent {
			t.Errorf("%s: %d of %d", what, found, sent)
		}
	}
}

// Attaching at every packet of made-up pipelined conversations, and within.
func TestAttachAnywhereInTalks(t *testing.T) {
	listen := []Listener{{brokerAddr, 42}}
	for seed := range uint64(2) {
		r := rand.New(rand.NewPCG(seed, 73))
		packets, _, _ := conversation(r, 2, 12)
		events, _ := decode(packets, listen, Bounds{})
		w := truthOf(t, events)
		worst := 0
		defer func() { t.Logf("seed %d: at most %d whole requests were missed", seed, worst) }()
		for i := range packets {
			begin := func(what string, from []Packet) {
				n := w.attach(t, what, from, listen, Bounds{})
				if worst = max(worst, n); n > 6 { // three in flight, on two connections
					t.Errorf("%s: %d requests were missed", what, n)
				}
			}
			begin(fmt.Sprintf("@seed %d, packet %d", seed, i), packets[i:])
			if p, ok := behead(packets[i], 1+r.IntN(max(len(packets[i].Data)-41, 1))); ok {
				begin(fmt.Sprintf("@seed %d, within packet %d", seed, i), append([]Packet{p}, packets[i+1:]...))
			}
		}
	}
}
