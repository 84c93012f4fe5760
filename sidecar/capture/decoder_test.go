package capture

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
)

// book is a Topics of one id, and a memory of what was read of records.
type book struct {
	learned map[[16]byte]string
	ids     map[string][]string
	headers map[string]RecordHeaders
}

func newBook() *book {
	return &book{map[[16]byte]string{}, map[string][]string{}, map[string]RecordHeaders{}}
}

func (b *book) Name(_ int32, id [16]byte) (string, bool)  { n, ok := b.learned[id]; return n, ok }
func (b *book) Known(_ int32, id [16]byte) (string, bool) { n, ok := b.learned[id]; return n, ok }
func (b *book) Learn(_ int32, id [16]byte, name string)   { b.learned[id] = name }
func idKey(c, b netip.AddrPort, corr int32, i int) string { return fmt.Sprint(c, b, corr, i) }

// result is what a run over packets gave.
type result struct {
	events   []event.Event
	recorded []Packet
	stats    Stats
	log      string
}

// run decodes copies of packets. With a book of message ids it replays.
func run(packets []Packet, known *book, b Bounds) (result, *book) {
	var r result
	var log bytes.Buffer
	seen := newBook()
	o := Options{
		Topics: seen, MessageIDHeader: "id", TraceContext: true, Bounds: b, Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Emit:   func(e event.Event) { r.events = append(r.events, e) },
		Record: func(p Packet) { r.recorded = append(r.recorded, clonePacket(p)) },
		OnMessageIDs: func(c, b netip.AddrPort, corr int32, i int, ids []string) {
			seen.ids[idKey(c, b, corr, i)] = slices.Clone(ids)
		},
		OnRecordHeaders: func(c, b netip.AddrPort, corr int32, h RecordHeaders) { seen.headers[idKey(c, b, corr, -1)] = h },
	}
	if known != nil {
		o.MessageIDs = func(c, b netip.AddrPort, corr int32, i int) ([]string, bool) {
			ids, ok := known.ids[idKey(c, b, corr, i)]
			return ids, ok
		}
		o.RecordHeaders = func(c, b netip.AddrPort, corr int32) RecordHeaders { return known.headers[idKey(c, b, corr, -1)] }
	}
	d := NewDecoder(o)
	d.SetListeners([]Listener{{brokerAddr, 42}})
	var last int64
	for _, p := range clonePackets(packets) {
		d.Packet(p)
		last = max(last, p.Unix)
	}
	d.Tick(event.Time(last + 2e9))
	r.stats, r.log = d.Stats(), log.String()
	return r, seen
}

func requestsOf(events []event.Event) (out []*event.Request) {
	for _, e := range events {
		if q, ok := e.(*event.Request); ok {
			out = append(out, q)
		}
	}
	return out
}

func responsesOf(events []event.Event) (out []*event.Response) {
	for _, e := range events {
		if q, ok := e.(*event.Response); ok {
			out = append(out, q)
		}
	}
	return out
}

func testRand(t testing.TB, seed uint64) *rand.Rand {
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 2))
}

// Whatever the segments, an undisturbed conversation is read whole.
func TestWholeConversation(t *testing.T) {
	for seed := range uint64(40) {
		r := testRand(t, seed)
		packets, requests, answered := conversation(r, 4, 12)
		got, ids := run(packets, nil, Bounds{})
		qs, as := requestsOf(got.events), responsesOf(got.events)
		if len(qs) != requests || len(as) != answered {
			t.Fatalf("%d of %d requests, %d of %d responses: %+v", len(qs), requests, len(as), answered, got.stats)
		}
		for _, q := range qs {
			checkRequest(t, q)
		}
		if len(ids.ids) == 0 || got.stats.Desyncs+got.stats.Undecodable+got.stats.NotKafka+got.stats.Unmatched > 0 {
			t.Fatalf("%+v", got.stats)
		}
	}
}

func checkRequest(t *testing.T, q *event.Request) {
	t.Helper()
	if q.PID != 42 || q.Broker != brokerAddr || !strings.HasPrefix(q.ClientID, "client-") || q.Arrival > q.LastByte || len(q.Partitions) == 0 {
		t.Fatalf("%+v", q)
	}
	for i, p := range q.Partitions {
		want := "topic-"
		if q.APIVersion >= 13 {
			want = "by-id"
		}
		if !strings.HasPrefix(p.Topic, want) || p.Records != 1 || p.CRC == 0 {
			t.Fatalf("partition %d of v%d: %+v", i, q.APIVersion, p)
		}
		if id := fmt.Sprintf("id-%d-%d", q.CorrelationID, p.Partition); len(p.MessageIDs) != 1 || p.MessageIDs[0] != id {
			t.Fatalf("message ids %v, should be %s", p.MessageIDs, id)
		}
		c, _ := kafka.ParseTraceparent([]byte(talkContext(p.MessageIDs[0])))
		if !slices.Contains(q.Contexts, event.TraceContext(c)) {
			t.Fatalf("contexts %v lack that of %s", q.Contexts, p.MessageIDs[0])
		}
	}
}

// Reordering and repetition within the bounds change nothing but times.
func TestReorderedAndRepeated(t *testing.T) {
	for seed := range uint64(40) {
		r := testRand(t, seed)
		packets, requests, answered := conversation(r, 3, 12)
		got, _ := run(disturb(r, packets, 0, 0.1, 0.1), nil, Bounds{})
		if n, m := len(requestsOf(got.events)), len(responsesOf(got.events)); n != requests || m > answered || m < answered*8/10 {
			t.Fatalf("%d of %d requests, %d of %d responses: %+v", n, requests, m, answered, got.stats)
		}
	}
}

// Loss costs requests, and invents none.
func TestLossInventsNothing(t *testing.T) {
	lost, all := 0, 0
	for seed := range uint64(60) {
		r := testRand(t, seed)
		packets, requests, _ := conversation(r, 3, 12)
		whole, _ := run(packets, nil, Bounds{})
		got, _ := run(disturb(r, packets, 0.02, 0.05, 0.05), nil, Bounds{})
		known := map[string]bool{}
		for _, q := range requestsOf(whole.events) {
			known[requestKey(q)] = true
		}
		qs := requestsOf(got.events)
		for _, q := range qs {
			if !known[requestKey(q)] {
				t.Fatalf("invented %+v", q)
			}
			delete(known, requestKey(q))
		}
		all += requests
		lost += requests - len(qs)
		checkAccounts(t, got)
	}
	t.Logf("%d of %d requests lost", lost, all)
	if lost > all/2 {
		t.Fatal("resynchronising does not work")
	}
}

func requestKey(q *event.Request) string {
	var crc []uint32
	for _, p := range q.Partitions {
		crc = append(crc, p.CRC)
	}
	return fmt.Sprint(q.Client, q.CorrelationID, q.Acks, crc)
}

// checkAccounts: every request that was handed on was answered, is waiting,
// or is counted as lost.
func checkAccounts(t *testing.T, got result) {
	t.Helper()
	waiting := 0
	for _, q := range requestsOf(got.events) {
		if q.Acks != 0 {
			waiting++
		}
	}
	s := got.stats
	gone := int(s.ProduceResponses) + s.Outstanding
	for reason, n := range s.Lost {
		if reason != "partial" && reason != "unconfirmed" {
			gone += int(n)
		}
	}
	if gone != waiting {
		t.Fatalf("%d requests expect a response, %d are accounted for: %+v", waiting, gone, s)
	}
	if s.Held != 0 {
		t.Fatalf("%d bytes still held", s.Held)
	}
}

// A recording gives the same events again, holds no secret, and is its own
// recording.
func TestRecordingReplaysTheSame(t *testing.T) {
	for seed := range uint64(150) {
		r := testRand(t, seed)
		packets, _, _ := conversation(r, 3, 10)
		if seed%3 > 0 {
			packets = disturb(r, packets, 0.01*float64(seed%3), 0.05, 0.05)
		}
		if seed%5 == 0 {
			packets = packets[len(packets)/3:] // begun in the middle
		}
		first, ids := run(packets, nil, Bounds{})
		for i, p := range first.recorded {
			if bytes.Contains(p.Data, secret[:6]) {
				t.Fatalf("packet %d holds a secret", i)
			}
		}
		second, _ := run(first.recorded, ids, Bounds{})
		compareEvents(t, first.events, second.events)
		if !reflect.DeepEqual(first.recorded, second.recorded) {
			t.Fatal("recording the recording gives something else")
		}
	}
}

func compareEvents(t *testing.T, a, b []event.Event) {
	t.Helper()
	x, y := canonical(a), canonical(b)
	for i := range max(len(x), len(y)) {
		if i >= len(x) || i >= len(y) || x[i] != y[i] {
			get := func(l []string) string {
				if i < len(l) {
					return l[i]
				}
				return "nothing"
			}
			t.Fatalf("event %d of %d and %d differs:\n%s\n%s", i, len(x), len(y), get(x), get(y))
		}
	}
}

// canonical is events as sorted text, connections named by when they appear.
func canonical(events []event.Event) []string {
	names := map[event.Conn]event.Conn{}
	name := func(c event.Conn) event.Conn {
		if _, ok := names[c]; !ok {
			names[c] = event.Conn(len(names))
		}
		return names[c]
	}
	var out []string
	for _, e := range events {
		switch e := e.(type) {
		case *event.Request:
			x := *e
			x.Conn = name(e.Conn)
			out = append(out, fmt.Sprintf("%+v", x))
		case *event.Response:
			x := *e
			x.Conn = name(e.Conn)
			out = append(out, fmt.Sprintf("%+v", x))
		case *event.ConnLost:
			x := *e
			x.Conn = name(e.Conn)
			out = append(out, fmt.Sprintf("%+v", x))
		case *event.Fetch:
			x := *e
			x.Conn = name(e.Conn)
			out = append(out, fmt.Sprintf("fetch %+v", x))
		case *event.Fetched:
			x := *e
			x.Conn = name(e.Conn)
			out = append(out, fmt.Sprintf("fetched %+v", x))
		default:
			out = append(out, fmt.Sprintf("%T %+v", e, e))
		}
	}
	return out
}

func TestTightBounds(t *testing.T) {
	for seed := range uint64(20) {
		r := testRand(t, seed)
		packets, _, _ := conversation(r, 5, 6)
		got, ids := run(disturb(r, packets, 0.05, 0.05, 0.2), nil, Bounds{Connections: 2, HeldBytes: 4000})
		if got.stats.Open > 2 || got.stats.Held > 4000 {
			t.Fatalf("%+v", got.stats)
		}
		checkAccounts(t, got)
		_ = ids
	}
}

func TestForeignStreams(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	for what, first := range map[string]string{
		"TLS":     "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on",
		"HTTP":    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"unknown": "SSH-2.0-OpenSSH_9.2",
	} {
		talk := newTalk(testRand(t, 1), 1, &at)
		talk.open()
		for range 3 {
			talk.packet(false, flagACK, []byte(first))
			talk.packet(true, flagACK, []byte(first))
		}
		got, _ := run(talk.packets, nil, Bounds{})
		if len(got.events) > 0 || got.stats.NotKafka != 1 || strings.Count(got.log, "\n") != 1 || !strings.Contains(got.log, what) {
			t.Fatalf("%s: %+v\n%s", what, got.stats, got.log)
		}
		for _, p := range got.recorded {
			if bytes.Contains(p.Data, []byte(first[:3])) {
				t.Fatalf("%s: recorded", what)
			}
		}
	}
}

// Joined in the middle, a TLS stream is recognised by its records.
func TestForeignFromTheMiddle(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 1), 1, &at)
	for range 5 {
		talk.packet(false, flagACK, []byte("\x17\x03\x03\x00\x40 and so on"))
	}
	if got, _ := run(talk.packets, nil, Bounds{}); got.stats.NotKafka != 1 || !strings.Contains(got.log, "TLS") {
		t.Fatalf("%+v\n%s", got.stats, got.log)
	}
}

func TestReusedAddresses(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 1), 1, &at)
	for i := range 3 {
		talk.seq = [2]uint32{uint32(i) * 1e6, uint32(i) * 2e6}
		talk.open()
		talk.metadata()
		talk.produce(2)
		if i == 0 {
			talk.close()
		}
		if i == 1 {
			talk.packet(true, flagRST, nil)
			talk.packet(false, flagACK, []byte("late"))
		}
	}
	got, _ := run(talk.packets, nil, Bounds{})
	if n := len(requestsOf(got.events)); n != talk.requests || got.stats.Connections != 3 || got.stats.Duplicates != 1 {
		t.Fatalf("%d of %d: %+v", n, talk.requests, got.stats)
	}
}

// One half of a connection is enough.
func TestOneSided(t *testing.T) {
	packets, requests, _ := conversation(testRand(t, 3), 2, 20)
	only := func(request bool) []Packet {
		return slices.DeleteFunc(clonePackets(packets), func(p Packet) bool {
			return (p.Data[22] == byte(brokerAddr.Port()>>8) && p.Data[23] == byte(brokerAddr.Port())) != request
		})
	}
	got, _ := run(only(true), nil, Bounds{})
	if n := len(requestsOf(got.events)); n != requests {
		t.Fatalf("%d of %d requests", n, requests)
	}
	checkAccounts(t, got)
	if got, _ = run(only(false), nil, Bounds{}); len(got.events) > 0 || got.stats.Unmatched == 0 {
		t.Fatalf("%+v", got.stats)
	}
}

// What ends a connection with requests in flight is told.
func TestConnLost(t *testing.T) {
	for _, c := range []struct {
		reason string
		end    func(*talk)
		wait   int64
	}{
		{"closed", (*talk).close, 0},
		{"reset", func(t *talk) { t.packet(true, flagRST, nil) }, 0},
		{"expired", func(*talk) {}, 130e9},
	} {
		at := int64(1_700_000_000_000_000_000)
		talk := newTalk(testRand(t, 1), 1, &at)
		talk.version = 9
		talk.open()
		q, _ := talk.produceRequest()
		q.Acks = 1
		q.Version = 9
		talk.call(q, nil)
		c.end(talk)
		at += c.wait
		other := newTalk(testRand(t, 1), 2, &at)
		other.open()
		got, _ := run(append(talk.packets, other.packets...), nil, Bounds{})
		last, ok := got.events[len(got.events)-1].(*event.ConnLost)
		if !ok || last.Reason != c.reason || got.stats.Lost[c.reason] != 1 || got.stats.Outstanding != 0 {
			t.Fatalf("%s: %+v %+v", c.reason, got.events, got.stats)
		}
	}
}

// A panic costs one connection.
func TestPanicCostsOneConnection(t *testing.T) {
	packets, requests, _ := conversation(testRand(t, 5), 3, 8)
	bad := netip.AddrPort{}
	n := 0
	d := NewDecoder(Options{Emit: func(e event.Event) {
		q, ok := e.(*event.Request)
		if !ok {
			return
		}
		if !bad.IsValid() {
			bad = q.Client
		}
		if q.Client == bad {
			panic("made up")
		}
		n++
	}})
	d.SetListeners([]Listener{{brokerAddr, 0}})
	for _, p := range packets {
		d.Packet(p)
	}
	s := d.Stats()
	if s.Panics == 0 || n == 0 || n >= requests {
		t.Fatalf("%d events, %+v", n, s)
	}
}
