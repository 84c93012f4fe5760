package capture

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/event"
)

// exchange is a produce request and its response, which the broker throttles.
func (t *talk) exchange(throttle time.Duration) (response []byte) {
	q, a := t.produceRequest()
	q.Acks, q.Version, a.Version = 1, t.version, t.version
	a.ThrottleMillis = int32(throttle / time.Millisecond)
	t.whole = true
	t.call(q, nil)
	return t.response(a, t.correlation-1)
}

// A connection is muted until the response before was out, and its throttle
// time over.
func TestMuted(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 41), 1, &at)
	talk.version = 9
	talk.open()
	talk.packet(true, flagACK, talk.exchange(0)) // first: nothing before
	end := at
	talk.packet(true, flagACK, talk.exchange(250*time.Millisecond)) // second: after the first
	start2, end2 := at, at
	third := talk.exchange(time.Millisecond)
	talk.packet(true, flagACK, third[:7]) // third: throttled by the second
	at += 5e6
	talk.packet(true, flagACK, third[7:])
	end3 := at
	talk.packet(true, flagACK, talk.exchange(0)) // fourth: the third's throttle was over before its last byte
	talk.fetch()                                 // any API counts
	end5 := at
	talk.packet(true, flagACK, talk.exchange(0))
	got, _ := run(talk.packets, nil, Bounds{})
	as := responsesOf(got.events)
	want := [][2]int64{{0, 0}, {end, 0}, {end2, start2 + 250e6}, {end3, 0}, {end5, 0}}
	if len(as) != len(want) {
		t.Fatalf("%d responses", len(as))
	}
	for i, a := range as {
		if a.Before != event.Time(want[i][0]) || a.Throttled != event.Time(want[i][1]) {
			t.Errorf("response %d: before %d, throttled %d, should be %v", i, a.Before, a.Throttled, want[i])
		}
	}
}

// What lies before bytes that were missed is not claimed.
func TestMutedAfterAGap(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 42), 1, &at)
	talk.version = 9
	talk.open()
	talk.packet(true, flagACK, talk.exchange(time.Second))
	talk.metadata()
	lost := len(talk.packets)
	talk.packet(true, flagACK, talk.exchange(time.Second)) // its response is lost
	lost++
	for range 4 {
		talk.packet(true, flagACK, talk.exchange(0))
	}
	packets := append(clonePackets(talk.packets[:lost]), talk.packets[lost+1:]...)
	got, _ := run(packets, nil, Bounds{})
	as := responsesOf(got.events)
	if len(as) != 5 || got.stats.Gaps != 1 {
		t.Fatalf("%d responses, %+v", len(as), got.stats)
	}
	for i, want := range []event.Time{0, 0, as[1].End, as[2].End, as[3].End} {
		if as[i].Before != want || as[i].Throttled != 0 {
			t.Errorf("response %d claims %+v", i, as[i])
		}
	}
}

// A gap within a response that is passed over loses no boundary, but nobody
// knows when it ended.
func TestMutedAfterATornResponse(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 43), 1, &at)
	talk.version = 9
	talk.open()
	q, a := kmsg.NewPtrFetchRequest(), kmsg.NewPtrFetchResponse()
	q.Version, a.Version = 11, 11
	topic, part := kmsg.NewFetchResponseTopic(), kmsg.NewFetchResponseTopicPartition()
	part.RecordBatches = make([]byte, 3000)
	topic.Partitions = append(topic.Partitions, part)
	a.Topics = append(a.Topics, topic)
	talk.whole = true
	talk.call(q, nil)
	b := talk.response(a, 0)
	talk.packet(true, flagACK, b[:1000])
	gone := len(talk.packets)
	talk.packet(true, flagACK, b[1000:2000])
	talk.packet(true, flagACK, b[2000:])
	for range 2 {
		talk.packet(true, flagACK, talk.exchange(0))
	}
	got, _ := run(append(clonePackets(talk.packets[:gone]), talk.packets[gone+1:]...), nil, Bounds{})
	as := responsesOf(got.events)
	if len(as) != 2 || as[0].Before != 0 || as[1].Before != as[0].End || got.stats.Desyncs > 0 {
		t.Fatalf("%+v, %+v", as, got.stats)
	}
}

// Where the capture cut a segment short, a frame that ends in it ends then.
func TestCutFrameEndsAtOnce(t *testing.T) {
	at := int64(1_700_000_000_000_000_000)
	talk := newTalk(testRand(t, 44), 1, &at)
	talk.version = 7 // nothing follows the records
	talk.open()
	q, _ := talk.produceRequest()
	q.Acks, q.Version = 1, 7
	q.Topics = q.Topics[:1]
	q.Topics[0].Partitions = q.Topics[0].Partitions[:1]
	q.Topics[0].Partitions[0].Records = talkBatch(5, 3000, "id-0-0")
	talk.whole = true
	talk.call(q, nil)
	sent := at
	p := &talk.packets[len(talk.packets)-1]
	p.Data = p.Data[:400]
	at += 9e9
	talk.exchange(0)
	got, _ := run(talk.packets, nil, Bounds{})
	if qs := requestsOf(got.events); len(qs) != 2 || qs[0].LastByteUnix != sent {
		t.Fatalf("%+v", qs)
	}
}
