package capture

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// nestedTalk produces records that hold produce requests of another client, as
// somebody who keeps captures in Kafka would.
func nestedTalk(r *rand.Rand, n int, at *int64, calls int) *talk {
	t := newTalk(r, n, at)
	t.open()
	t.metadata()
	for range calls {
		var inner []byte
		for i := range 30 {
			q, _ := t.produceRequest()
			q.Version, q.Acks = 9, 1
			q.Topics[0].Topic = "never-sent"
			q.Topics, q.Topics[0].Partitions = q.Topics[:1], q.Topics[0].Partitions[:1]
			q.Topics[0].Partitions[0].Records = talkBatch(1, 1, "inner")
			inner = append(inner, kmsg.NewRequestFormatter(kmsg.FormatterClientID("inner")).AppendRequest(nil, q, 100_000+int32(i))...)
		}
		q, a := t.produceRequest()
		q.Acks = 1
		q.SetVersion(t.version)
		a.SetVersion(t.version)
		p := &q.Topics[0].Partitions[0]
		b := kmsg.RecordBatch{Length: int32(49 + len(inner)), Magic: 2, CRC: int32(r.Uint32()), ProducerID: -1, FirstSequence: -1, NumRecords: 1, Records: inner}
		p.Records = b.AppendTo(nil)
		frame := kmsg.NewRequestFormatter(kmsg.FormatterClientID(t.id)).AppendRequest(nil, q, t.correlation)
		for len(frame) > 0 { // many segments begin where an inner request does
			n := min(len(frame), 1+r.IntN(3000))
			for i := range min(n, len(frame)-14) {
				if i > 0 && string(frame[i+14:min(len(frame), i+19)]) == "inner" && binary.BigEndian.Uint16(frame[i+12:]) == 5 {
					n = i
					break
				}
			}
			t.packet(false, flagACK, frame[:n])
			frame = frame[n:]
		}
		t.packet(true, flagACK, t.response(a, t.correlation))
		t.correlation++
	}
	return t
}

// After a loss, requests inside of records are not taken for requests.
func TestRequestsInRecords(t *testing.T) {
	listen := []Listener{{brokerAddr, 42}}
	sent, found := 0, 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 91))
		at := int64(1_700_000_000_000_000_000)
		packets := nestedTalk(r, 1, &at, 12).packets
		events, _ := decode(packets, listen, Bounds{})
		w := truthOf(t, events)
		got, s := decode(withEnds(packets, disturb(r, packets, 0.02, 0, 0)), listen, Bounds{HoleTimeout: time.Millisecond})
		q, _ := w.check(t, fmt.Sprint("seed ", seed), got, s)
		sent, found = sent+len(w.requests), found+len(q)
	}
	t.Logf("%d of %d requests", found, sent)
	if found < sent/2 {
		t.Error("too few are left to prove anything")
	}
}

// Joined in the middle of such a connection.
func TestRequestsInRecordsFromTheMiddle(t *testing.T) {
	listen := []Listener{{brokerAddr, 42}}
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 92))
		at := int64(1_700_000_000_000_000_000)
		packets := nestedTalk(r, 1, &at, 6).packets
		events, _ := decode(packets, listen, Bounds{})
		w := truthOf(t, events)
		invented := 0
		for i := range packets {
			got, _ := decode(packets[i:], listen, Bounds{})
			for _, q := range requestsOf(got) {
				if w.requests[askKey(q.Client.Port(), q.CorrelationID)] != askText(q) {
					invented++
				}
			}
		}
		if invented > 0 {
			t.Errorf("seed %d: %d invented in %d runs", seed, invented, len(packets))
		}
	}
}
