package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/event"
)

const (
	fixture     = "testdata/kafka-4.1.1.pcapng"
	fixturePort = 29192
)

func fixtureListeners() []Listener {
	return []Listener{{Addr: netip.AddrPortFrom(netip.IPv4Unspecified(), fixturePort)}}
}

// decodeFile decodes a file's packets.
func decodeFile(t testing.TB, r io.Reader, o Options) (events []event.Event, stats Stats) {
	t.Helper()
	f, err := NewFile(r)
	if err != nil {
		t.Fatal(err)
	}
	o.Emit = func(e event.Event) { events = append(events, e) }
	if o.Topics == nil {
		o.Topics = newBook()
	}
	d := NewDecoder(o)
	d.SetListeners(fixtureListeners())
	var last int64
	for {
		b, err := f.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = b.Unix
		d.Packet(b.Packet)
	}
	d.Tick(event.Time(last + 2e9))
	return events, d.Stats()
}

func readFixture(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(fixture)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFixture(t *testing.T) {
	events, s := decodeFile(t, bytes.NewReader(readFixture(t)), Options{MessageIDHeader: "message-id", TraceContext: true})
	if s.Undecodable+s.Desyncs+s.BadBatches+s.Gaps+s.NotKafka+s.Unmatched+s.TopicUnknown+s.MessageIDErrors+s.Panics > 0 || s.Outstanding > 0 || len(s.Lost) > 0 {
		t.Fatalf("%+v", s)
	}
	versions, clients, ids := map[int16]int{}, map[string]int{}, 0
	for _, q := range requestsOf(events) {
		versions[q.APIVersion]++
		clients[q.ClientID]++
		for _, p := range q.Partitions {
			ids += len(p.MessageIDs)
			if p.Topic != "orders" {
				t.Fatalf("%+v", p)
			}
		}
	}
	for v := int16(3); v <= 12; v++ {
		if versions[v] != 3 {
			t.Errorf("v%d: %d requests, should be 3", v, versions[v])
		}
	}
	if clients["versions"] != 30 || clients["java-large"] == 0 || clients["java-tx"] == 0 || clients["java-acks0"] == 0 || clients["java-lz4"] == 0 {
		t.Errorf("%v", clients)
	}
	if want := 10 * 2 * (1 + 2 + 3); ids != want {
		t.Errorf("%d message ids, should be %d", ids, want)
	}
	for _, a := range responsesOf(events) {
		for _, p := range a.Partitions {
			if p.Error != 0 || p.BaseOffset < 0 || p.Topic != "orders" {
				t.Errorf("%+v", p)
			}
		}
	}
}

// Every request that fills one segment has the fields that gopacket and kmsg
// find in it.
func TestFixtureAgainstKmsg(t *testing.T) {
	events, _ := decodeFile(t, bytes.NewReader(readFixture(t)), Options{})
	byStamp := map[int64]*event.Request{}
	for _, q := range requestsOf(events) {
		byStamp[q.ArrivalUnix] = q
	}
	r, err := pcapgo.NewNgReader(bytes.NewReader(readFixture(t)), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	type place struct {
		port layers.TCPPort
		seq  uint32
	}
	seen := map[place]bool{} // the fixture holds a retransmission
	for {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tcp, ok := gopacket.NewPacket(data, r.LinkType(), gopacket.Default).Layer(layers.LayerTypeTCP).(*layers.TCP)
		if !ok || tcp.DstPort != fixturePort || len(tcp.Payload) < 14 || int(binary.BigEndian.Uint32(tcp.Payload))+4 != len(tcp.Payload) || tcp.Payload[5] != 0 {
			continue
		}
		if at := (place{tcp.SrcPort, tcp.Seq}); seen[at] {
			continue
		} else {
			seen[at] = true
		}
		got := byStamp[ci.Timestamp.UnixNano()]
		if got == nil {
			t.Fatalf("no request at %v", ci.Timestamp)
		}
		checkAgainst(t, got, tcp.Payload)
		checked++
	}
	if checked < 100 {
		t.Fatalf("only %d requests were checked", checked)
	}
}

func checkAgainst(t *testing.T, got *event.Request, frame []byte) {
	t.Helper()
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(int16(binary.BigEndian.Uint16(frame[6:])))
	at := 14 + int(binary.BigEndian.Uint16(frame[12:]))
	id := string(frame[14:at])
	if q.IsFlexible() {
		at++
	}
	if err := q.ReadFrom(frame[at:]); err != nil {
		t.Fatal(err)
	}
	if got.ClientID != id || got.Acks != q.Acks || got.APIVersion != q.Version || int(got.Bytes) != len(frame)-4 || q.TransactionID != nil && got.TransactionalID != *q.TransactionID {
		t.Fatalf("%+v, should be %+v", got, q)
	}
	i := 0
	for _, topic := range q.Topics {
		for _, part := range topic.Partitions {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(part.Records); err != nil {
				t.Fatal(err)
			}
			p := got.Partitions[i]
			if p.Partition != part.Partition || p.TopicID != topic.TopicID || p.CRC != uint32(b.CRC) || p.Records != b.NumRecords || int(p.Bytes) != len(part.Records) || p.ProducerID != b.ProducerID || p.BaseSequence != b.FirstSequence || p.ProducerEpoch != b.ProducerEpoch || p.Attributes != b.Attributes {
				t.Fatalf("%+v, should be %+v", p, b)
			}
			i++
		}
	}
	if i != len(got.Partitions) {
		t.Fatalf("%d partitions, should be %d", len(got.Partitions), i)
	}
}

// tsharkTime is when tshark's Kafka dissector saw a frame that is all of its
// segment, by port, direction and correlation id.
type tsharkKey struct {
	port        uint16
	request     bool
	correlation int32
}

func tsharkTimes(t *testing.T) map[tsharkKey]int64 {
	t.Helper()
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("tshark, the oracle, is not installed")
	}
	out, err := exec.Command("tshark", "-r", fixture, "-d", "tcp.port=="+strconv.Itoa(fixturePort)+",kafka", "-Y", "kafka",
		"-T", "fields", "-e", "frame.time_epoch", "-e", "tcp.srcport", "-e", "tcp.dstport", "-e", "tcp.len",
		"-e", "kafka.correlation_id", "-e", "kafka.len").Output()
	if err != nil {
		t.Skipf("tshark, the oracle, does not run: %v", err)
	}
	times := map[tsharkKey]int64{}
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		size, err1 := strconv.Atoi(f[5])
		segment, err2 := strconv.Atoi(f[3])
		id, err3 := strconv.Atoi(f[4])
		if err := errors.Join(err1, err2, err3); err != nil || size+4 != segment {
			continue // several frames in one segment, or one in several
		}
		sec, frac, _ := strings.Cut(f[0], ".")
		s, _ := strconv.ParseInt(sec, 10, 64)
		ns, _ := strconv.ParseInt(frac, 10, 64)
		request := f[2] == strconv.Itoa(fixturePort)
		port, _ := strconv.Atoi(f[2])
		if request {
			port, _ = strconv.Atoi(f[1])
		}
		times[tsharkKey{uint16(port), request, int32(id)}] = s*1e9 + ns
	}
	return times
}

func TestFixtureAgainstTshark(t *testing.T) {
	times := tsharkTimes(t)
	events, _ := decodeFile(t, bytes.NewReader(readFixture(t)), Options{})
	ports := map[event.Conn]uint16{}
	checked := [2]int{}
	check := func(k tsharkKey, at int64, n *int) {
		if want, ok := times[k]; ok {
			*n++
			if d := at - want; d < -1000 || d > 1000 {
				t.Errorf("%+v: %d, tshark says %d", k, at, want)
			}
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case *event.Request:
			ports[e.Conn] = e.Client.Port()
			check(tsharkKey{e.Client.Port(), true, e.CorrelationID}, e.ArrivalUnix, &checked[0])
			check(tsharkKey{e.Client.Port(), true, e.CorrelationID}, e.LastByteUnix, new(int))
		case *event.Response:
			check(tsharkKey{ports[e.Conn], false, e.CorrelationID}, e.StartUnix, &checked[1])
			check(tsharkKey{ports[e.Conn], false, e.CorrelationID}, e.EndUnix, new(int))
		}
	}
	q, a := len(requestsOf(events)), len(responsesOf(events))
	t.Logf("%d of %d requests, %d of %d responses compared", checked[0], q, checked[1], a)
	if checked[0] < q*8/10 || checked[1] < a*8/10 {
		t.Error("too few were compared")
	}
}

// The redacted fixture gives the same events and holds no payload.
func TestFixtureReplaysTheSame(t *testing.T) {
	blocks, err := readAll(bytes.NewReader(readFixture(t)))
	if err != io.EOF {
		t.Fatal(err)
	}
	replay := func(known *book, packets []Packet) (events []event.Event, recorded []Packet, ids *book) {
		ids = newBook()
		o := Options{
			Topics: ids, MessageIDHeader: "message-id",
			Emit:   func(e event.Event) { events = append(events, e) },
			Record: func(p Packet) { recorded = append(recorded, clonePacket(p)) },
			OnMessageIDs: func(c, b netip.AddrPort, corr int32, i int, list []string) {
				ids.ids[idKey(c, b, corr, i)] = list
			},
		}
		if known != nil {
			o.MessageIDs = func(c, b netip.AddrPort, corr int32, i int) ([]string, bool) {
				list, ok := known.ids[idKey(c, b, corr, i)]
				return list, ok
			}
		}
		d := NewDecoder(o)
		d.SetListeners(fixtureListeners())
		for _, p := range packets {
			d.Packet(clonePacket(p))
		}
		return events, recorded, ids
	}
	var packets []Packet
	for _, b := range blocks {
		packets = append(packets, b.Packet)
	}
	first, recorded, ids := replay(nil, packets)
	second, _, _ := replay(ids, recorded)
	compareEvents(t, first, second)
	for i, p := range recorded {
		for _, word := range bytes.FieldsFunc(p.Data, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			if len(word) > 12 { // of ProducerPerformance's random letters
				t.Fatalf("packet %d holds %q", i, word)
			}
		}
	}
}
