package clients

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

// refusedWith is what a broker answers to a shape; of Gap, to its second request.
var refusedWith = map[Shape][]*kerr.Error{
	TooLarge:         {kerr.MessageTooLarge},
	UnknownTopic:     {kerr.UnknownTopicOrPartition, kerr.UnknownTopicID},
	UnknownPartition: {kerr.UnknownTopicOrPartition},
	InvalidAcks:      {kerr.InvalidRequiredAcks},
	TooFewReplicas:   {kerr.NotEnoughReplicas},
	Gap:              {kerr.OutOfOrderSequenceNumber},
}

// TestRaw: what the record of raw requests says is in the log, byte for byte,
// and what it says was refused is not.
func TestRaw(t *testing.T) {
	t.Parallel()
	s, base := stage(t)
	base.Client = Raw
	with := func(id string, count int, topics []Topic, r RawOptions) Options {
		o := base
		o.ClientID, o.Count, o.Topics, o.Raw = id, count, topics, r
		return o
	}
	large := with("raw-large", 6, plainTopics("large"), RawOptions{Acks: []int16{1, -1}, Codecs: []string{"none", "lz4"}})
	large.ValueBytes = Range{900_000, 1_000_000}
	runs := []Options{
		with("raw-plain", 500, append(plainTopics("plain"), rewriting("plain")...),
			RawOptions{Acks: Acks, Codecs: Codecs, Partitions: Range{1, 4}, Records: Range{1, 20}}),
		with("raw-wide", 10, []Topic{{Name: "wide-a", Partitions: 80}, {Name: "wide-b", Partitions: 70}, {Name: "wide-c", Partitions: 50}},
			RawOptions{Acks: []int16{1, -1}, Codecs: Codecs, Partitions: Range{200, 200}}),
		large,
		with("raw-repeated", 120, plainTopics("repeated"), RawOptions{Acks: []int16{1, -1}, Shapes: []Shape{Duplicate, Identical, Retried, Plain}}),
		with("raw-refused", 60, plainTopics("refused"), RawOptions{Acks: []int16{1, -1},
			Shapes: []Shape{Gap, TooLarge, UnknownTopic, UnknownPartition, InvalidAcks, PartlyRefused}}),
		with("raw-unread", 153, plainTopics("unread"), RawOptions{Shapes: []Shape{Unread}}),
		with("raw-throttled", 80, plainTopics("throttled"), RawOptions{Shapes: []Shape{Throttled}}),
		with("raw-old", 3, plainTopics("old"), RawOptions{Shapes: []Shape{OldFormat}}),
	}
	ran := map[string][]Sent{}
	for _, o := range runs {
		ran[o.ClientID] = mustRun(t, o)
	}
	log := dump(t, s)
	for id, sent := range ran {
		t.Run(id, func(t *testing.T) { checkBatches(t, log, sent) })
	}
	t.Run("duplicates", func(t *testing.T) { checkRepeated(t, log, ran["raw-repeated"]) })
	t.Run("unread", func(t *testing.T) { checkUnread(t, log, ran["raw-unread"]) })
	t.Run("throttled", func(t *testing.T) { checkThrottled(t, ran["raw-throttled"]) })
	t.Run("requests", func(t *testing.T) {
		for _, o := range runs {
			if n := requests(ran[o.ClientID]); n != o.Count {
				t.Errorf("%s: %d requests, want %d", o.ClientID, n, o.Count)
			}
		}
	})
}

func requests(sent []Sent) int {
	seen := map[string]bool{}
	for _, s := range sent {
		seen[fmt.Sprint(s.Local, *s.CorrelationID)] = true
	}
	return len(seen)
}

func checkBatches(t *testing.T, log logged, sent []Sent) {
	for i := range sent {
		b := &sent[i]
		partition := fmt.Sprintf("%s-%d", b.Topic, b.Partition)
		if b.APIVersion == nil || b.CorrelationID == nil || b.Local == "" {
			t.Fatalf("incomplete: %+v", b)
		}
		switch {
		case b.Error != nil && *b.Error != 0:
			if n := log.count(partition, *b.CRC, b.Bytes); n != 0 {
				t.Errorf("refused with %d, and %d times in the log: %+v", *b.Error, n, b)
			}
			checkError(t, b)
		case b.Offset != nil:
			checkWritten(t, log, partition, b)
		case b.Acks != 0 && b.Failure == "":
			t.Errorf("no answer, no failure: %+v", b)
		case b.Acks != 0 && b.Shape != Retried && b.Shape != OldFormat:
			t.Errorf("failed: %+v", b)
		case b.Shape == Plain && !rewritten(b.Topic) && log.count(partition, *b.CRC, b.Bytes) != 1:
			t.Errorf("without acks, and not once in the log: %+v", b)
		}
	}
}

func checkError(t *testing.T, b *Sent) {
	if b.Shape == PartlyRefused {
		return
	}
	for _, want := range refusedWith[b.Shape] {
		if *b.Error == want.Code {
			return
		}
	}
	t.Errorf("error %d: %+v", *b.Error, b)
}

func checkWritten(t *testing.T, log logged, partition string, b *Sent) {
	if refusedWith[b.Shape] != nil && b.Shape != Gap {
		t.Errorf("taken: %+v", b)
	}
	w := log.at(partition, *b.Offset)
	switch {
	case w == nil || w.BaseOffset != *b.Offset || !w.Valid:
		t.Errorf("no valid batch at the base offset: %+v", b)
	case rewritten(b.Topic) || b.CRC == nil:
	case w.CRC != *b.CRC || w.Size != int64(b.Bytes) || w.Codec != b.Codec:
		t.Errorf("the log has %+v for %+v", w, b)
	}
}

// checkRepeated: a duplicate is written once and answered with one offset, what
// is identical is written each time.
func checkRepeated(t *testing.T, log logged, sent []Sent) {
	type batch struct {
		shape     Shape
		partition string
		crc       uint32
		size      int
	}
	offsets, answered := map[batch]map[int64]bool{}, map[batch]int{}
	for i := range sent {
		b := &sent[i]
		if b.Shape != Duplicate && b.Shape != Identical || b.Offset == nil {
			continue
		}
		k := batch{b.Shape, fmt.Sprintf("%s-%d", b.Topic, b.Partition), *b.CRC, b.Bytes}
		if offsets[k] == nil {
			offsets[k] = map[int64]bool{}
		}
		offsets[k][*b.Offset] = true
		answered[k]++
	}
	seen := map[Shape]int{}
	for k, n := range answered {
		seen[k.shape]++
		want := 1
		if k.shape == Identical {
			want = n
		}
		if n != requestsOf[k.shape] || len(offsets[k]) != want || log.count(k.partition, k.crc, k.size) != want {
			t.Errorf("%+v: answered %d times with %d offsets, %d times in the log", k, n, len(offsets[k]), log.count(k.partition, k.crc, k.size))
		}
	}
	if seen[Duplicate] == 0 || seen[Identical] == 0 {
		t.Errorf("drawn: %v", seen)
	}
}

// checkUnread: the broker takes what is before the request that it refuses, and
// reads nothing of what is behind it.
func checkUnread(t *testing.T, log logged, sent []Sent) {
	refused := map[string]bool{} // connections
	before, behind := 0, 0
	for i := range sent { // in the order in which they were sent
		b := &sent[i]
		if b.Topic == missingTopic(&Options{ClientID: b.ClientID}) {
			refused[b.Local] = true
			continue
		}
		n := log.count(fmt.Sprintf("%s-%d", b.Topic, b.Partition), *b.CRC, b.Bytes)
		if refused[b.Local] {
			behind++
		} else {
			before++
		}
		if read := !refused[b.Local]; read != (n == 1) {
			t.Errorf("%d times in the log, behind a refused one: %t: %+v", n, !read, b)
		}
	}
	if t.Logf("%d before and %d behind a refused one", before, behind); before == 0 || behind == 0 {
		t.Error("the shape shows nothing")
	}
}

func checkThrottled(t *testing.T, sent []Sent) {
	throttled := 0
	for _, b := range sent {
		if b.ThrottleMS > 0 {
			throttled++
		}
	}
	if throttled == 0 {
		t.Errorf("%d of %d responses throttle", throttled, len(sent))
	}
}
