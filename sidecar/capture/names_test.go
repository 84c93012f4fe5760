package capture

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/topics"
)

func namesOf(events []event.Event) (out []*event.TopicName) {
	for _, e := range events {
		if n, ok := e.(*event.TopicName); ok {
			out = append(out, n)
		}
	}
	return out
}

// step is one thing that a recording keeps, in the order of the file.
type step struct {
	packet *Packet
	tick   event.Time
	topic  *topicFact
}

type topicFact struct {
	id   [16]byte
	name string
}

// taped runs steps through a decoder with a table of topics, and tapes what
// sidecar.Run records, where it records it. beforeTick is nil or called.
func taped(steps []step, beforeTick func(), dirs ...string) (events []event.Event, tape []step) {
	table := topics.New(slog.New(slog.DiscardHandler))
	for _, dir := range dirs {
		table.AddLogDir(42, dir)
	}
	table.OnLearn(func(_ int32, id [16]byte, name string) { tape = append(tape, step{topic: &topicFact{id, name}}) })
	d := NewDecoder(Options{Topics: table,
		Emit:   func(e event.Event) { events = append(events, e) },
		Record: func(p Packet) { p = clonePacket(p); tape = append(tape, step{packet: &p}) },
	})
	d.SetListeners([]Listener{{brokerAddr, 42}})
	for _, s := range steps {
		switch {
		case s.packet != nil:
			d.Packet(clonePacket(*s.packet))
		case s.topic != nil:
			table.Learn(42, s.topic.id, s.topic.name)
		default:
			if beforeTick != nil {
				beforeTick()
			}
			tape = append(tape, s)
			d.Tick(s.tick)
		}
	}
	return events, tape
}

// acks0 sends a request that has no response, of a topic by its id.
func (t *talk) acks0(id [16]byte) {
	q := kmsg.NewPtrProduceRequest()
	q.Version = 13
	topic, part := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	topic.TopicID, part.Records = id, talkBatch(1, 1, "x")
	topic.Partitions = append(topic.Partitions, part)
	q.Topics = append(q.Topics, topic)
	t.call(q, nil)
}

// An id that nobody knew is filled in once a look at the log dirs, or a
// Metadata response, tells its name; a replay tells it at the same instant.
func TestTopicNameIsFilledIn(t *testing.T) {
	at := time.Now().UnixNano()
	talk := newTalk(testRand(t, 61), 1, &at)
	talk.open()
	talk.acks0([16]byte{9}) // told by a directory
	talk.acks0([16]byte{7}) // told by Metadata
	talk.acks0([16]byte{9})
	talk.acks0([16]byte{8}) // never told
	var steps []step
	for i := range talk.packets {
		steps = append(steps, step{packet: &talk.packets[i]})
	}
	tick := func(after int64) step { return step{tick: event.Time(at + after)} }
	steps = append(steps, tick(1e8), tick(2e8))
	before := len(talk.packets)
	talk.metadata()
	for i := range talk.packets[before:] {
		steps = append(steps, step{packet: &talk.packets[before+i]})
	}
	metadataAt := at

	dir := t.TempDir()
	early, _ := taped(steps, nil, dir)
	if names := namesOf(early); len(names) != 1 || names[0].ID != [16]byte{7} || names[0].Name != "by-id" || names[0].PID != 42 || names[0].Time != event.Time(metadataAt) {
		t.Fatalf("%+v", names)
	}

	// The directory appears after the requests, before the first Tick.
	late := t.TempDir()
	ticked, tape := taped(steps, func() {
		partition(t, filepath.Join(late, "made-later-0"), [16]byte{9})
		time.Sleep(300 * time.Millisecond) // a look each 200 ms at most
	}, late)
	names := namesOf(ticked)
	if len(names) != 2 || names[0].ID != [16]byte{9} || names[0].Name != "made-later" {
		t.Fatalf("%+v", names)
	}
	again, _ := taped(tape, nil)
	compareEvents(t, ticked, again)
	if !reflect.DeepEqual(namesOf(again), names) {
		t.Fatalf("the replay tells %+v, not %+v", namesOf(again), names)
	}
}

// partition makes a partition's directory, if it is not there.
func partition(t *testing.T, dir string, id [16]byte) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "version: 0\ntopic_id: " + topics.FormatID(id)
	if err := os.WriteFile(filepath.Join(dir, "partition.metadata"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Ids without a name are bounded, and forgotten when no request waits.
func TestUnnamedIsBounded(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 62), 1, &at)
	talk.open()
	for i := range 3 * maxUnnamed {
		talk.acks0([16]byte{1, byte(i), byte(i >> 8)})
	}
	names := newBook()
	var events []event.Event
	d := NewDecoder(Options{Topics: names, Emit: func(e event.Event) { events = append(events, e) }})
	d.SetListeners([]Listener{{brokerAddr, 42}})
	for _, p := range talk.packets {
		d.Packet(p)
	}
	if n, m := len(d.unnamed.order), len(d.unnamed.last); n != maxUnnamed || m != n {
		t.Fatal(n, m)
	}
	d.Tick(event.Time(at + 121e9))
	d.Tick(event.Time(at + 122e9))
	if n, m := len(d.unnamed.order), len(d.unnamed.last); n != 0 || m != 0 {
		t.Fatal(n, m)
	}
	names.Learn(42, [16]byte{1}, "late")
	d.Tick(event.Time(at + 123e9))
	if len(namesOf(events)) > 0 {
		t.Fatal("told what nobody waits for")
	}
}

// A connection that was met while only the port was known becomes its
// broker's; what was handed on before keeps pid 0.
func TestConnectionGetsItsBroker(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 63), 1, &at)
	talk.version = 9
	talk.open()
	talk.packet(true, flagACK, talk.exchange(0))
	first := len(talk.packets)
	talk.packet(true, flagACK, talk.exchange(0))
	var events []event.Event
	d := NewDecoder(Options{Emit: func(e event.Event) { events = append(events, e) }})
	d.SetListeners([]Listener{{Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), brokerAddr.Port())}})
	for i, p := range talk.packets {
		if i == first {
			d.SetListeners([]Listener{
				{Addr: netip.AddrPortFrom(netip.IPv6Unspecified(), brokerAddr.Port())},
				{Addr: netip.AddrPortFrom(brokerAddr.Addr(), 1), PID: 1}, {Addr: brokerAddr, PID: 77}})
		}
		d.Packet(p)
	}
	qs := requestsOf(events)
	if len(qs) != 2 || qs[0].PID != 0 || qs[1].PID != 77 || qs[0].Conn != qs[1].Conn || len(responsesOf(events)) != 2 {
		t.Fatalf("%+v", qs)
	}
	d.SetListeners([]Listener{{Addr: brokerAddr, PID: 78}}) // an open connection stays its broker's
	talk.packet(true, flagACK, talk.exchange(0))
	for _, p := range talk.packets[len(talk.packets)-2:] {
		d.Packet(p)
	}
	if qs = requestsOf(events); len(qs) != 3 || qs[2].PID != 77 {
		t.Fatalf("%+v", qs)
	}
}
