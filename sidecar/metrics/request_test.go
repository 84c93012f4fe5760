package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// TestAllThatWasPutIn scrapes what was measured and compares count, sum and each
// bucket with the input.
func TestAllThatWasPutIn(t *testing.T) {
	m, all := measuring(), requests(5000)
	durations := map[string][]time.Duration{}
	slow, slowTime := map[string]int{}, map[string]time.Duration{}
	bytes := map[string]int64{}
	for i := range all {
		r := &all[i]
		m.Request(r)
		topic := r.Topics[0].Topic
		durations[topic] = append(durations[topic], r.Latency)
		bytes[topic] += r.Topics[0].Bytes
		if r.Latency >= 65*ms {
			slow[topic]++
			slowTime[topic] += r.Latency
		}
	}
	f := scrape(t, serve(t, m), acceptProtobuf)
	if n := len(f["tailspan_produce_duration_seconds"].Metric); n != len(durations) {
		t.Errorf("%d topics, want %d", n, len(durations))
	}
	for topic, ds := range durations {
		equal(t, topic, f.get("tailspan_produce_duration_seconds", "broker", "1", "topic", topic).GetHistogram(), ds)
		labels := []string{"broker", "1", "topic", topic}
		if got := f.value("tailspan_produce_bytes_total", labels...); got != float64(bytes[topic]) {
			t.Errorf("%s: %v bytes", topic, got)
		}
		if got := f.value("tailspan_produce_records_total", labels...); got != float64(10*len(ds)) {
			t.Errorf("%s: %v records", topic, got)
		}
		labels = append(labels, "cause", "fs.write", "root_cause", "jbd2.commit")
		if got := f.value("tailspan_slow_requests_total", labels...); slow[topic] > 0 && got != float64(slow[topic]) {
			t.Errorf("%s: %v slow, want %d", topic, got, slow[topic])
		}
		if got := f.value("tailspan_slow_seconds_total", labels...); slow[topic] > 0 && got != seconds(slowTime[topic]) {
			t.Errorf("%s: %v s slow, want %v", topic, got, slowTime[topic])
		}
	}
	if h := f.get("tailspan_request_queue_duration_seconds", "broker", "1").GetHistogram(); h.GetSampleCount() != 5000 {
		t.Errorf("%d queues", h.GetSampleCount())
	}
}

// equal compares a histogram with what was put in.
func equal(t *testing.T, name string, h *dto.Histogram, in []time.Duration) {
	t.Helper()
	sum := time.Duration(0)
	for _, d := range in {
		sum += d
	}
	if h.GetSampleCount() != uint64(len(in)) || h.GetSampleSum() != seconds(sum) {
		t.Errorf("%s: %d in %v s, want %d in %v", name, h.GetSampleCount(), h.GetSampleSum(), len(in), sum)
	}
	for _, b := range h.Bucket {
		n := uint64(0)
		for _, d := range in {
			if seconds(d) <= b.GetUpperBound() {
				n++
			}
		}
		if b.GetCumulativeCount() != n {
			t.Errorf("%s: %d up to %v s, want %d", name, b.GetCumulativeCount(), b.GetUpperBound(), n)
		}
	}
	want := map[int]int64{}
	for _, d := range in {
		want[int(math.Ceil(math.Log2(seconds(d))*perOctave-1e-9))]++
	}
	for key, n := range nativeOf(h) {
		if n != want[key] {
			t.Errorf("%s: native bucket %d has %d, want %d", name, key, n, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("%s: native buckets lack %v", name, want)
	}
}

// nativeOf reads the native buckets.
func nativeOf(h *dto.Histogram) map[int]int64 {
	counts := map[int]int64{}
	key, at, n := 0, 0, int64(0)
	for _, s := range h.PositiveSpan {
		key += int(s.GetOffset())
		for range s.GetLength() {
			if n += h.PositiveDelta[at]; n != 0 {
				counts[key] = n
			}
			key, at = key+1, at+1
		}
	}
	return counts
}

func TestSlowAsTheTopicSays(t *testing.T) {
	m := New(Options{MaxTopics: 2, SLO: func(topic string) time.Duration {
		return map[string]time.Duration{"": 50 * ms, "fast": 10 * ms, "late": 20 * ms}[topic]
	}})
	for _, r := range []*Request{
		oneTopic("fast", 10*ms), oneTopic("fast", 10*ms-1),
		oneTopic("never", time.Hour), // no objective
		oneTopic("late", 20*ms), oneTopic("late", 20*ms-1),
		{Broker: 1, Latency: 50 * ms, Topics: []TopicPart{{Topic: "fast"}, {Topic: "never"}}},
		{Broker: 1, Latency: 49 * ms, Topics: []TopicPart{{Topic: "fast"}, {Topic: "never"}}},
		{Broker: 1, Latency: 50 * ms},
	} {
		m.Request(r)
	}
	f := scrape(t, serve(t, m), acceptProtobuf)
	for topic, want := range map[string]float64{"fast": 1, "(other)": 1, "never": -1} {
		if got := f.value("tailspan_slow_requests_total", "broker", "1", "topic", topic, "cause", "fs.write", "root_cause", "jbd2.commit"); got != want {
			t.Errorf("%s: %v slow, want %v", topic, got, want)
		}
	}
	if got := f.value("tailspan_slow_requests_total", "broker", "1", "topic", "(several)", "cause", "unknown", "root_cause", "unknown"); got != 2 {
		t.Errorf("several: %v slow", got)
	}
}

func TestErrors(t *testing.T) {
	m := measuring()
	for _, r := range []Request{
		{Broker: 1, Failed: true, Topics: []TopicPart{{Topic: "a", Partitions: 3, Errors: 2, Error: "NOT_LEADER_OR_FOLLOWER"}, {Topic: "b", Partitions: 4}}},
		{Broker: 1, Failed: true, Topics: []TopicPart{{Topic: "a", Partitions: 3}}},
		{Broker: 1, Topics: []TopicPart{{Topic: "a", Partitions: 3}}},
	} {
		m.Request(&r)
	}
	for i := range 2 * maxErrors {
		m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{{Topic: "a", Partitions: 2, Errors: 1, Error: fmt.Sprint(1000 + i)}}})
	}
	f := scrape(t, serve(t, m), acceptProtobuf)
	for labels, want := range map[[2]string]float64{
		{"a", "NOT_LEADER_OR_FOLLOWER"}: 2, {"a", "(lost)"}: 3, {"a", "(other)"}: maxErrors + 1, {"b", "NOT_LEADER_OR_FOLLOWER"}: -1,
	} {
		if got := f.value("tailspan_produce_errors_total", "broker", "1", "topic", labels[0], "error", labels[1]); got != want {
			t.Errorf("%v: %v, want %v", labels, got, want)
		}
	}
}

// TestTopicsAreBounded: the rest is counted, together.
// TestMadeUpTopics: names of which the broker takes nothing use up no label.
// TestStringsAreCopied: what Request is given lies in a buffer of the caller's.
// TestAtOnce: measuring, keeping and scraping at the same time (for -race). A
// scrape is of one instant: whatever is counted twice is counted equally.
func TestAtOnce(t *testing.T) {
	m, all := measuring(), requests(2000)
	url := serve(t, m)
	var others sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		others.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					balanced(t, scrape(t, url, acceptProtobuf))
				}
			}
		})
	}
	others.Go(func() {
		for i := range all {
			m.Kept(keptRequest(uint64(i+1), all[i].Topics[0].Topic, all[i].Latency))
		}
	})
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		m.Request(&all[rng.IntN(len(all))])
	}
	close(done)
	others.Wait()
	balanced(t, scrape(t, url, acceptProtobuf))
}

func balanced(t *testing.T, f families) {
	requests, records := uint64(0), 0.0
	for _, x := range f["tailspan_produce_duration_seconds"].GetMetric() {
		h := x.GetHistogram()
		requests += h.GetSampleCount()
		native := h.GetZeroCount()
		for _, n := range nativeOf(h) {
			native += uint64(n)
		}
		if native != h.GetSampleCount() {
			t.Errorf("%d in native buckets, count is %d", native, h.GetSampleCount())
		}
	}
	for _, x := range f["tailspan_produce_records_total"].GetMetric() {
		records += x.GetCounter().GetValue()
	}
	queue := f.get("tailspan_request_queue_duration_seconds", "broker", "1").GetHistogram().GetSampleCount()
	if uint64(records) != 10*requests || queue != requests {
		t.Errorf("%d requests, %v records, %d queues", requests, records, queue)
	}
}
