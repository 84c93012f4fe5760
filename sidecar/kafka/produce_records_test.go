package kafka

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// requestOf is a request of one partition for each of the batches.
func requestOf(batches ...[]byte) *kmsg.ProduceRequest {
	q := kmsg.NewPtrProduceRequest()
	q.SetVersion(9)
	q.Acks = 1
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = "orders"
	for i, b := range batches {
		p := kmsg.NewProduceRequestTopicPartition()
		p.Partition, p.Records = int32(i), b
		topic.Partitions = append(topic.Partitions, p)
	}
	q.Topics = append(q.Topics, topic)
	return q
}

// feedFrame decodes one request in pieces of a size, 0: whole.
func feedFrame(t *testing.T, frame []byte, size int, h *HeaderReader) *ProduceRequest {
	t.Helper()
	u := &reuse{names: NewInterner(), headers: h}
	var stream RequestStream
	feedAll(t, frame, size, func(b []byte, k *Kept) (int, error) { return stream.Feed(b, 0, k, u.names, u) })
	if u.done != 1 || stream.Inside() {
		t.Fatalf("%d requests", u.done)
	}
	return &u.request
}

// Every codec in one request, in pieces down to a byte.
func TestHeadersInPieces(t *testing.T) {
	r := newRand(t, 51)
	h := &HeaderReader{MessageID: "id", Contexts: true}
	var batches [][]byte
	var wantIDs [][]string
	var wantContexts contexts
	for _, c := range testCodecs {
		records, rows := randomRecords(r, 3, 400)
		batches = append(batches, wrapBatch(c.attributes, len(records), c.compress(t, encodeRecords(records))))
		var ids []string
		for _, row := range rows {
			if row.hasID {
				ids = append(ids, row.id)
			}
			if row.context != (TraceContext{}) {
				wantContexts.add(row.context)
			}
		}
		wantIDs = append(wantIDs, ids)
	}
	frame := requestFrame(requestOf(batches...), 1, "c")
	for size := range 300 {
		p := feedFrame(t, frame, size, h)
		for i := range p.Partitions {
			if at := p.Partitions[i]; at.HeadersFailed || !reflect.DeepEqual(at.MessageIDs, wantIDs[i]) {
				t.Fatalf("pieces of %d, %s: %q, want %q, failed %v", size, testCodecs[i].name, at.MessageIDs, wantIDs[i], at.HeadersFailed)
			}
		}
		if list, omitted := p.Contexts(); !reflect.DeepEqual(list, wantContexts.list) || omitted != 0 || p.HeadersCut {
			t.Fatalf("pieces of %d: %v", size, list)
		}
	}
}

// Contexts are distinct over all of the request's partitions.
func TestContexts(t *testing.T) {
	r := newRand(t, 52)
	var all []TraceContext
	for range MaxContexts + 20 {
		all = append(all, randomContext(r))
	}
	var batches [][]byte
	for _, c := range testCodecs {
		var records []testRecord
		for _, x := range append(all[:len(all):len(all)], all...) {
			x.Flags ^= byte(r.IntN(2)) // the same span all the same
			records = append(records, testRecord{headers: [][2]string{{"traceparent", traceparentOf(x)}}})
		}
		records = append(records, testRecord{}, testRecord{headers: [][2]string{{"traceparent", traceparentOf(all[0])}, {"traceparent", "none"}}})
		batches = append(batches, wrapBatch(c.attributes, len(records), c.compress(t, encodeRecords(records))))
	}
	h := &HeaderReader{Contexts: true}
	u := &reuse{names: NewInterner(), headers: h}
	var stream RequestStream
	for range 3 { // the storage is used again
		if _, err := stream.Feed(requestFrame(requestOf(batches...), 1, "c"), 0, nil, u.names, u); err != nil {
			t.Fatal(err)
		}
		list, omitted := u.request.Contexts()
		if len(list) != MaxContexts || omitted != 20 || u.request.HeadersCut {
			t.Fatalf("%d and %d", len(list), omitted)
		}
		for i := range list {
			if list[i].TraceID != all[i].TraceID || list[i].SpanID != all[i].SpanID {
				t.Fatalf("context %d is %v", i, list[i])
			}
		}
	}
	list, omitted := feedFrame(t, requestFrame(requestOf(batches...), 1, "c"), 0, nil).Contexts()
	if len(list)+omitted > 0 {
		t.Fatal("contexts were read that nobody wants")
	}
}

// The budget is the request's, not the partition's.
func TestBudgetOfRequest(t *testing.T) {
	for _, c := range testCodecs {
		var batches [][]byte
		for i := range 5 {
			var records []testRecord
			for j := range headerRecords / 4 {
				records = append(records, testRecord{value: make([]byte, 100), headers: [][2]string{{"id", fmt.Sprint(i, "-", j)}}})
			}
			batches = append(batches, wrapBatch(c.attributes, len(records), c.compress(t, encodeRecords(records))))
		}
		p := feedFrame(t, requestFrame(requestOf(batches...), 1, "c"), 1000, &HeaderReader{MessageID: "id"})
		n := 0
		for i := range p.Partitions {
			n += len(p.Partitions[i].MessageIDs)
			if p.Partitions[i].HeadersFailed {
				t.Errorf("%s: %d failed", c.name, i)
			}
		}
		if n != headerRecords || !p.HeadersCut {
			t.Errorf("%s: %d ids, cut %v", c.name, n, p.HeadersCut)
		}
	}
}

// A bomb costs the budget, and no more is held than for any other batch.
func TestBomb(t *testing.T) {
	bomb := bytes.Repeat([]byte("\x80\x80\x08\x00\x00\x00"), 40<<20/6) // long records
	for _, c := range testCodecs[1:] {
		b := c.compress(t, bomb)
		h := &HeaderReader{MessageID: "id", Contexts: true}
		for range 2 {
			budget := Budget{Bytes: headerBytes, Records: headerRecords}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := h.Read(&budget, c.attributes, 1<<30, b, &headerRows{})
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > maxZstdWindow+4<<20 || budget.Bytes < 0 || err == nil {
				t.Errorf("%s (%d bytes): %d bytes allocated, budget %+v, %v", c.name, len(b), got, budget, err)
			}
		}
	}
}

// A gather that is taken away costs one batch its headers, not the request.
func TestGathersAreFew(t *testing.T) {
	c := testCodecs[4]
	frame := requestFrame(requestOf(wrapBatch(c.attributes, 1, c.compress(t, encodeRecords([]testRecord{{value: make([]byte, 100), headers: [][2]string{{"id", "x"}}}})))), 1, "c")
	h := &HeaderReader{MessageID: "id"}
	u := make([]reuse, 3*maxGathers)
	streams := make([]RequestStream, len(u))
	feed := func(i int, b []byte) {
		if _, err := streams[i].Feed(b, 0, nil, u[i].names, &u[i]); err != nil {
			t.Fatal(err)
		}
	}
	for i := range u {
		u[i] = reuse{names: NewInterner(), headers: h}
		feed(i, frame[:len(frame)-5])
	}
	cut := 0
	for i := range u {
		feed(i, frame[len(frame)-5:])
		p := &u[i].request
		if p.HeadersCut {
			cut++
		} else if !reflect.DeepEqual(p.Partitions[0].MessageIDs, []string{"x"}) {
			t.Fatalf("%d: %+v", i, p.Partitions[0])
		}
	}
	if cut != len(u)-maxGathers || len(h.gathers.all) != maxGathers {
		t.Errorf("%d cut, %d gathers", cut, len(h.gathers.all))
	}
	for i := range u { // all are free again
		feed(i, frame[:len(frame)-5])
		feed(i, frame[len(frame)-5:])
		if u[i].request.HeadersCut {
			t.Fatalf("%d is cut", i)
		}
	}
}

// Bytes that are missed inside compressed records cost their headers only.
func TestLostInsideCompressed(t *testing.T) {
	for _, c := range testCodecs {
		r := newRand(t, 53)
		records, _ := randomRecords(r, 20, 200)
		batch := wrapBatch(c.attributes, len(records), c.compress(t, encodeRecords(records)))
		whole := wrapBatch(c.attributes, 1, c.compress(t, encodeRecords([]testRecord{{headers: [][2]string{{"id", "after"}}}})))
		q := requestOf(batch, whole)
		frame := requestFrame(q, 1, "c")
		at := bytes.Index(frame, batch) + BatchHeaderSize
		for range 100 {
			from := at + r.IntN(len(batch)-BatchHeaderSize-1)
			n := 1 + r.IntN(at+len(batch)-BatchHeaderSize-from)
			s := &seen{names: NewInterner(), id: "id"}
			var stream RequestStream
			stream.Feed(frame[:from], 0, nil, s.names, s)
			if !stream.Lost(n) {
				t.Fatalf("%s: the loss of %d at %d was not survived", c.name, n, from)
			}
			stream.Feed(frame[from+n:], 0, nil, s.names, s)
			if len(s.produces) != 1 {
				t.Fatal(s.errs)
			}
			checkProduce(t, &s.produces[0], q)
			if p := s.produces[0].Partitions; !p[0].HeadersFailed || p[1].HeadersFailed || !reflect.DeepEqual(p[1].MessageIDs, []string{"after"}) {
				t.Fatalf("%s: %+v", c.name, p)
			}
		}
	}
}
