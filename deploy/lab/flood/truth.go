package flood

import (
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Key is what slow requests are counted by.
type Key struct {
	Topic       string
	Cause, Root spans.Cause
}

// Count is how many, and how long they took together.
type Count struct {
	Requests int
	Latency  time.Duration
}

func (c Count) plus(d Count) Count { return Count{c.Requests + d.Requests, c.Latency + d.Latency} }

// Traffic is what producers sent to a topic.
type Traffic struct{ Requests, Records, Bytes int }

// Truth is what a generator knows of its flood.
type Truth struct {
	Requests int // all
	Slow     map[Key]Count
	Traces   map[spans.TraceID]Key // of the slow ones
	Topics   map[string]*Traffic
}

func newTruth() *Truth {
	return &Truth{Slow: map[Key]Count{}, Traces: map[spans.TraceID]Key{}, Topics: map[string]*Traffic{}}
}

func (t *Truth) request(topic string, s *shape) {
	t.Requests++
	x := t.Topics[topic]
	if x == nil {
		x = &Traffic{}
		t.Topics[topic] = x
	}
	x.Requests++
	x.Records += int(s.records)
	x.Bytes += int(s.bytes)
}

func (t *Truth) slow(k Key, id spans.TraceID, latency time.Duration) {
	t.Slow[k] = t.Slow[k].plus(Count{1, latency})
	t.Traces[id] = k
}

// ByCause sums up the topics.
func ByCause[V any](of map[Key]V, add func(sum, v V) V) map[Key]V {
	all := map[Key]V{}
	for k, v := range of {
		k.Topic = ""
		all[k] = add(all[k], v)
	}
	return all
}
