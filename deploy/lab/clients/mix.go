package clients

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"time"
)

// Lane is one client of a mixed load.
type Lane struct {
	Options
	share float64       // of the requests
	Took  time.Duration // it ran
}

// Mix is a load of all clients at once, each in a lane of its own. What it draws,
// and how many requests each lane sends, follow from Base.Count and Base.Seed;
// in which order they reach the broker does not.
//
// Base is what the lanes have in common: Count (requests in all), Rate (a second,
// in all), For, Seed, Address, Dir, Kafka, CacheDir, Progress.
type Mix struct {
	Base  Options
	Lanes []*Lane
}

const (
	mixLarge  = 900_000 // bytes of a large batch's value
	mixInEach = 100     // records of a transaction

	batchedShare  = 0.02
	batchedLinger = 5 * time.Millisecond
)

// franzSingle are values of which franz-go puts one into its smallest batch.
var franzSingle = Range{250, 300}

// NewMix shares the load out. Library clients send one record a request (one
// partition, one record a batch), so that their requests can be counted; raw
// requests are of all shapes. On top of Count come lanes of libraries that batch as
// they like: Count×batchedShare records each, in fewer requests.
func NewMix(base Options) *Mix {
	m := &Mix{Base: base}
	library := func(share float64, id string, c Client, change func(*Options)) {
		o := base
		o.Client, o.ClientID, o.BatchBytes, o.Acks = c, id, 1, 1
		o.Topics = []Topic{{Name: "mix-" + id}}
		if c == FranzGo {
			o.ValueBytes = franzSingle
		}
		change(&o)
		m.add(share, o)
	}
	library(0.05, "java", Java, func(o *Options) { o.Codec = "gzip" })
	library(0.01, "java-transactional", Java, func(o *Options) { o.Transactions = mixInEach })
	library(0.05, "librdkafka", Librdkafka, func(o *Options) { o.Idempotent, o.Codec = true, "snappy" })
	library(0.01, "librdkafka-unacked", Librdkafka, func(o *Options) { o.Acks = 0 })
	library(0.05, "franz-go", FranzGo, func(o *Options) { o.Acks, o.Codec = -1, "zstd" })
	library(0.01, "franz-go-transactional", FranzGo, func(o *Options) { o.Transactions = mixInEach })
	library(0.05, "sarama", Sarama, func(o *Options) { o.Codec = "lz4" })
	library(0.01, "sarama-unacked", Sarama, func(o *Options) { o.Acks = 0 })
	m.raw()
	m.shareOut()
	for _, c := range []Client{Java, Librdkafka, FranzGo, Sarama} {
		library(batchedShare, string(c)+"-batched", c, func(o *Options) {
			o.BatchBytes, o.Linger, o.Codec = 0, batchedLinger, "lz4"
			o.Count, o.Rate = int(float64(base.Count)*batchedShare), base.Rate*batchedShare
			o.Topics = []Topic{{Name: "mix-batched", Partitions: 6}}
		})
	}
	return m
}

// known says whether the lane's record tells its requests.
func (l *Lane) known() bool { return l.Client == Raw || l.BatchBytes == 1 }

func (m *Mix) raw() {
	lane := func(share float64, id string, r RawOptions, topics ...Topic) *Options {
		o := m.Base
		o.Client, o.ClientID, o.Topics, o.Raw = Raw, id, topics, r
		o.Seed += uint64(len(m.Lanes))
		return &m.add(share, o).Options
	}
	plain := []Topic{{Name: "mix-a", Partitions: 6}, {Name: "mix-b", Partitions: 6}}
	rewriting := []Topic{
		{Name: "mix-append-time", Partitions: 2, Config: map[string]string{"message.timestamp.type": "LogAppendTime"}},
		{Name: "mix-recompressed", Partitions: 2, Config: map[string]string{"compression.type": "lz4"}},
	}
	wide := []Topic{{Name: "mix-wide-a", Partitions: 80}, {Name: "mix-wide-b", Partitions: 70}, {Name: "mix-wide-c", Partitions: 50}}
	acked := []int16{1, -1}
	drawn := RawOptions{Acks: Acks, Codecs: Codecs, Partitions: Range{1, 3}, Records: Range{1, 3}}
	lane(0.30, "raw-1", drawn, plain...)
	lane(0.30, "raw-2", drawn, plain...)
	lane(0.05, "raw-rewritten", RawOptions{Acks: acked, Codecs: Codecs, Partitions: Range{1, 2}}, rewriting...)
	lane(0.005, "raw-rewritten-unacked", RawOptions{Acks: []int16{0}, Codecs: Codecs}, rewriting...)
	lane(0.005, "raw-identical-unacked", RawOptions{Acks: []int16{0}, Shapes: []Shape{Identical}}, plain...)
	lane(0.05, "raw-idempotent", RawOptions{Codecs: Codecs, Partitions: Range{1, 2}}, plain...).Idempotent = true
	lane(0.0005, "raw-wide", RawOptions{Acks: acked, Partitions: Range{100, 200}}, wide...)
	lane(0.0002, "raw-large", RawOptions{Acks: acked, Codecs: []string{"none", "lz4"}}, plain...).ValueBytes = Range{mixLarge, mixLarge}
	lane(0.02, "raw-repeated", RawOptions{Acks: acked, Codecs: Codecs, Shapes: []Shape{Plain, Duplicate, Identical, Retried}}, plain...)
	lane(0.02, "raw-refused", RawOptions{Acks: acked, Codecs: Codecs,
		Shapes: []Shape{Gap, TooLarge, UnknownTopic, UnknownPartition, InvalidAcks, PartlyRefused}}, plain...)
	lane(0.005, "raw-unread", RawOptions{Shapes: []Shape{Unread}}, plain...)
	lane(0.0002, "raw-throttled", RawOptions{Shapes: []Shape{Throttled}}, plain...)
	lane(0.0001, "raw-old", RawOptions{Shapes: []Shape{OldFormat}}, plain...)
}

func (m *Mix) add(share float64, o Options) *Lane {
	l := &Lane{Options: o, share: share}
	m.Lanes = append(m.Lanes, l)
	return l
}

// shareOut gives each lane its part; the first raw one gets what is left over.
func (m *Mix) shareOut() {
	left := m.Base.Count
	var rest *Lane
	for _, l := range m.Lanes {
		l.Rate = m.Base.Rate * l.share
		if l.ClientID == "raw-1" {
			rest = l
			continue
		}
		if m.Base.Count > 0 {
			l.Count = int(float64(m.Base.Count) * l.share)
			for _, shape := range l.Raw.Shapes {
				l.Count = max(l.Count, requestsOf[shape])
			}
			l.Count = max(l.Count, 1)
			left -= l.Count
		}
	}
	if m.Base.Count > 0 {
		rest.Count = max(left, 1)
		rest.Rate = m.Base.Rate * float64(rest.Count) / float64(m.Base.Count)
	}
}

// Keep drops all lanes but those named; none named: it keeps all.
func (m *Mix) Keep(ids []string) {
	if len(ids) > 0 {
		m.Lanes = slices.DeleteFunc(m.Lanes, func(l *Lane) bool { return !slices.Contains(ids, l.ClientID) })
	}
}

// Run runs all lanes to their ends, and says on Progress when each has ended.
func (m *Mix) Run(ctx context.Context) error {
	if err := m.topics(ctx); err != nil {
		return err
	}
	errs := make([]error, len(m.Lanes))
	begin := time.Now()
	var wg sync.WaitGroup
	for i, l := range m.Lanes {
		wg.Go(func() {
			errs[i] = Record(ctx, &l.Options)
			l.Took = time.Since(begin)
			fmt.Fprintf(l.Progress, "  %s: %d in %s\n", l.ClientID, l.Count, l.Took.Round(time.Millisecond))
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// topics makes them before the lanes begin, each once.
func (m *Mix) topics(ctx context.Context) error {
	all := map[string]Topic{}
	for _, l := range m.Lanes {
		for _, t := range l.Topics {
			all[t.Name] = t
		}
	}
	var topics []Topic
	for t := range maps.Values(all) {
		topics = append(topics, t)
	}
	return MakeTopics(ctx, m.Base.Address, topics)
}

// Tally is what the records of a mix come to.
type Tally struct {
	Requests                   int // of the lanes that know them
	Batches, Records           int
	Acked, Refused, Unanswered int // batches, or a library's records
	Unacked                    int // sent without acks
}

// Tally counts over the records of all lanes, or of those that were written.
func (m *Mix) Tally() (Tally, error) {
	var t Tally
	for _, l := range m.Lanes {
		type request struct {
			local string
			id    int32
		}
		seen := map[request]bool{}
		err := Read(l.File(), func(s *Sent) error {
			if s.CorrelationID == nil {
				if l.known() {
					t.Requests++
				}
			} else if r := (request{s.Local, *s.CorrelationID}); !seen[r] {
				seen[r] = true
				t.Requests++
			}
			t.count(s)
			return nil
		})
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return t, err
		}
	}
	return t, nil
}

func (t *Tally) count(s *Sent) {
	t.Batches++
	t.Records += s.Records
	switch {
	case s.Error != nil && *s.Error != 0:
		t.Refused++
	case s.Acks == 0:
		t.Unacked++
	case s.Failed():
		t.Unanswered++
	default:
		t.Acked++
	}
}
