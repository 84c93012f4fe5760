package sidecar

import (
	"bytes"
	"encoding/binary"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/snappy/xerial"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

const (
	headerTrace   = "4bf92f3577b34da6a3ce929d0e0e4736"
	headerContext = "00-" + headerTrace + "-00f067aa0ba902b7-01"
	headerStamp   = 1_795_000_000_000_000_000
)

// exchange is the packets of a connection with one Produce request, of one
// compressed record with a message id and a trace context, and its response.
func exchange() [][]byte {
	rec := kmsg.Record{Value: []byte("a value"), Headers: []kmsg.Header{
		{Key: "id", Value: []byte("m-1")}, {Key: "traceparent", Value: []byte(headerContext)}}}
	rec.Length = int32(len(rec.AppendTo(nil)) + 1) // which takes two bytes
	body := xerial.Encode(nil, rec.AppendTo(nil))
	batch := kmsg.RecordBatch{Length: int32(49 + len(body)), Magic: 2, Attributes: 2, NumRecords: 1, Records: body}
	q, a := kmsg.NewPtrProduceRequest(), kmsg.NewPtrProduceResponse()
	q.Version, a.Version, q.Acks = 9, 9, 1
	qt, qp := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
	at, ap := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
	qt.Topic, at.Topic, qp.Records = "orders", "orders", batch.AppendTo(nil)
	qt.Partitions, at.Partitions = append(qt.Partitions, qp), append(at.Partitions, ap)
	q.Topics, a.Topics = append(q.Topics, qt), append(a.Topics, at)
	request := kmsg.NewRequestFormatter(kmsg.FormatterClientID("c")).AppendRequest(nil, q, 7)
	response := a.AppendTo(append(make([]byte, 4, 64), 0, 0, 0, 7, 0))
	binary.BigEndian.PutUint32(response, uint32(len(response)-4))
	return [][]byte{
		segmentOf(4000, 9092, 0, 0, 0x02, nil), segmentOf(9092, 4000, 0, 1, 0x12, nil),
		segmentOf(4000, 9092, 1, 1, 0x18, request), segmentOf(9092, 4000, 1, uint32(1+len(request)), 0x18, response),
	}
}

// segmentOf is IPv4 and TCP on loopback.
func segmentOf(from, to uint16, seq, ack uint32, flags byte, payload []byte) []byte {
	b := make([]byte, 40, 40+len(payload))
	b[0], b[8], b[9] = 0x45, 64, 6
	binary.BigEndian.PutUint16(b[2:], uint16(40+len(payload)))
	copy(b[12:], []byte{127, 0, 0, 1, 127, 0, 0, 1})
	binary.BigEndian.PutUint16(b[20:], from)
	binary.BigEndian.PutUint16(b[22:], to)
	binary.BigEndian.PutUint32(b[24:], seq)
	binary.BigEndian.PutUint32(b[28:], ack)
	b[32], b[33] = 5<<4, flags
	return append(b, payload...)
}

// plainCapture is the exchange as a pcap, in nanoseconds, of raw IP.
func plainCapture() []byte {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b23c4d)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0)
	for i, p := range exchange() {
		b = binary.LittleEndian.AppendUint32(b, headerStamp/1e9)
		b = binary.LittleEndian.AppendUint32(b, uint32(i*1_000_000))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// recordingOf is the exchange as `record` writes it, as of a version that
// knew contexts or of one that did not.
func recordingOf(t *testing.T, c config.Config, older bool) []byte {
	t.Helper()
	s, err := New(Options{Config: c, Stdout: io.Discard, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	s.record = recording.NewWriter(&b, recording.Header{})
	l := &live{Sidecar: s}
	o := l.decoderOptions()
	if older {
		o.OnRecordHeaders = nil
	}
	s.newDecoder(o)
	s.decoder.SetListeners([]capture.Listener{{Addr: netip.MustParseAddrPort("127.0.0.1:9092"), PID: 5}})
	l.fact(recording.Fact{Broker: &recording.Broker{PID: 5, Listeners: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:9092")}}})
	for i, p := range exchange() {
		s.decoder.Packet(capture.Packet{LinkType: capture.LinkRaw, Unix: headerStamp + int64(i)*1e6, Data: p, WireLength: len(p)})
	}
	for i := range event.Time(30) { // until what lingers has been let go
		l.fact(recording.Fact{Progress: &recording.Mark{Time: headerStamp + i*1e9}})
	}
	if err := s.record.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Message ids and contexts come from the bytes of a plain capture, and from
// the facts of a recording, whose records are zeroed.
func TestReplayedHeaders(t *testing.T) {
	both := config.Config{MessageIDHeader: "id", TraceContext: true, Port: 9092}
	file := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	recorded := recordingOf(t, both, false)
	if !bytes.Contains(recorded, []byte(headerContext)) || bytes.Contains(recorded, []byte("a value")) {
		t.Error("the recording lacks the context, or holds a value")
	}
	for _, x := range []struct {
		name        string
		path        string
		config      config.Config
		id, context bool
	}{
		{"plain", file(plainCapture()), both, true, true},
		{"plain, no contexts", file(plainCapture()), config.Config{MessageIDHeader: "id", Port: 9092}, true, false},
		{"plain, nothing", file(plainCapture()), config.Config{Port: 9092}, false, false},
		{"recording", file(recorded), config.Config{TraceContext: true}, true, true},
		{"recording, no contexts", file(recorded), config.Config{}, true, false},
		{"recording made without", file(recordingOf(t, config.Config{MessageIDHeader: "id"}, false)), both, true, false},
		{"older recording", file(recordingOf(t, both, true)), both, true, false},
	} {
		x.config.Print = "traces"
		out, _ := replayed(t, x.path, x.config)
		if strings.Count(out, "\n") != 1 || strings.Contains(out, `"m-1"`) != x.id || strings.Contains(out, headerTrace) != x.context {
			t.Errorf("%s: %s", x.name, out)
		}
	}
}

// TestSharedContext: that all records have one sampled context is recorded, and
// not believed where contexts are not wanted; older recordings do not say it.
func TestSharedContext(t *testing.T) {
	const fact = `"shared":true`
	if b := recordingOf(t, config.Config{TraceContext: true}, false); !bytes.Contains(b, []byte(fact)) {
		t.Error("the recording does not say it")
	}
	if b := recordingOf(t, config.Config{TraceContext: true}, true); bytes.Contains(b, []byte(fact)) {
		t.Error("an older recording says it")
	}
	h := &recording.RecordHeaders{Contexts: []string{headerContext}, Shared: true}
	a := &recording.AppendHeaders{Contexts: h.Contexts, Shared: true}
	for _, wanted := range []bool{true, false} {
		if r, e := headersOf(h, wanted), appendHeadersOf(a, wanted); r.Shared != wanted || e.ContextShared != wanted {
			t.Errorf("wanted %v: %+v %+v", wanted, r, e)
		}
	}
}

// TestAdoptParent: live and replayed a request is in its producer's trace where
// that is asked for, in all that names it; of an older recording it is not known
// that all records agree, so its producer is linked to.
func TestAdoptParent(t *testing.T) {
	file := func(b []byte) string {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	adopt := config.Config{TraceContext: true, AdoptParent: true, Port: 9092}
	for _, x := range []struct {
		name   string
		path   string
		config config.Config
		want   bool
	}{
		{"plain", file(plainCapture()), adopt, true},
		{"not asked for", file(plainCapture()), config.Config{TraceContext: true, Port: 9092}, false},
		{"recording", file(recordingOf(t, adopt, false)), config.Config{TraceContext: true, AdoptParent: true}, true},
		{"recorded without", file(recordingOf(t, config.Config{TraceContext: true}, false)), config.Config{TraceContext: true, AdoptParent: true}, true},
		{"older recording", file(recordingOf(t, adopt, true)), config.Config{TraceContext: true, AdoptParent: true}, false},
	} {
		for print, is := range map[string]string{"traces": `{"trace_id":"` + headerTrace + `","spans"`, "requests": `"trace_id":"` + headerTrace + `"`} {
			x.config.Print = print
			out, _ := replayed(t, x.path, x.config)
			if strings.Contains(out, is) != x.want || print == "traces" && strings.Contains(out, `"parent_id":"00f067aa0ba902b7"`) != x.want {
				t.Errorf("%s: %s", x.name, out)
			}
		}
	}
}

// Records are searched for contexts only where a trace or a recording will show
// them.
func TestContextsAreReadForSomebody(t *testing.T) {
	for _, x := range []struct {
		print            string
		asked, recording bool
		want             bool
	}{
		{"none", true, false, false},
		{"requests", true, false, false},
		{"traces", true, false, true},
		{"none", true, true, true},
		{"traces", false, true, false},
	} {
		s, err := New(Options{Config: config.Config{Print: x.print, TraceContext: x.asked}, Stdout: io.Discard,
			Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if x.recording {
			s.record = recording.NewWriter(io.Discard, recording.Header{})
		}
		if got := s.contexts(); got != x.want {
			t.Errorf("%+v: %v", x, got)
		}
	}
}
