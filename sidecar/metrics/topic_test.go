package metrics

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

func TestTopicsAreBounded(t *testing.T) {
	m := New(Options{MaxTopics: 10})
	for i := range 1000 {
		m.Request(oneTopic(fmt.Sprint("t", i), ms))
		m.Request(oneTopic("t0", ms))
	}
	f := scrape(t, serve(t, m), acceptProtobuf)
	if n := len(f["tailspan_produce_duration_seconds"].Metric); n != 11 {
		t.Errorf("%d topics", n)
	}
	for topic, want := range map[string]uint64{"t0": 1001, "t9": 1, "(other)": 990} {
		if h := f.get("tailspan_produce_duration_seconds", "broker", "1", "topic", topic).GetHistogram(); h.GetSampleCount() != want {
			t.Errorf("%s: %d", topic, h.GetSampleCount())
		}
	}
	if n := f.value("tailspan_topics"); n != 10 {
		t.Errorf("%v topics", n)
	}
	if n := f.value("tailspan_other_topics_requests_total"); n != 990 {
		t.Errorf("%v requests of other topics", n)
	}
}

func TestMadeUpTopics(t *testing.T) {
	m := New(Options{MaxTopics: 10})
	for i := range 100 {
		m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{
			{Topic: fmt.Sprint("refused", i), Partitions: 2, Errors: 2, Error: "UNKNOWN_TOPIC_OR_PARTITION"}}})
		m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{{Topic: fmt.Sprint("lost", i), Partitions: 2}}})
	}
	m.Request(oneTopic("orders", ms))
	m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{
		{Topic: "half", Partitions: 2, Errors: 1, Error: "X"}, {Topic: "none", Partitions: 1, Errors: 1, Error: "X"}, {Topic: "whole", Partitions: 1}}})
	topics := scrape(t, serve(t, m), acceptProtobuf).labelValues("tailspan_produce_bytes_total", "topic")
	if len(topics) != 4 || topics["orders"]+topics["half"]+topics["whole"]+topics["(other)"] != 4 {
		t.Errorf("%v", topics)
	}
}

func TestHostileTopics(t *testing.T) {
	m := measuring()
	hostile := []string{"", "\xff\xfe", "a\x00b", "a\nb", `a"b`, "a{b}", "(other)", "(several)", "ünï", "\u202eevil",
		strings.Repeat("x", 250), strings.Repeat("\xc3", 1<<20), "${jndi:ldap://x}", "a b", "le"}
	for _, topic := range hostile {
		m.Request(oneTopic(topic, ms))
		m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{{Topic: topic, Partitions: 1, Errors: 1, Error: topic}}})
		m.Kept(keptRequest(1, topic, ms))
	}
	m.Request(oneTopic(strings.Repeat("x", 249), ms))
	m.Request(oneTopic("rXn2jB3bQ5-_aaAAbbBBcc", ms)) // an id that is not resolved
	url := serve(t, m)
	for _, accept := range []string{acceptText, acceptOpenMetrics, acceptProtobuf} {
		f := scrape(t, url, accept)
		topics := f.labelValues("tailspan_produce_duration_seconds", "topic")
		if len(topics) != 4 || topics["le"]+topics["(other)"]+topics[strings.Repeat("x", 249)]+topics["rXn2jB3bQ5-_aaAAbbBBcc"] != 4 {
			t.Errorf("%s: %v", accept, topics)
		}
		for name, f := range f {
			for _, x := range f.Metric {
				for _, l := range x.Label {
					if !utf8.ValidString(l.GetValue()) {
						t.Errorf("%s: %q", name, l.GetValue())
					}
				}
			}
		}
	}
}

func TestManyBrokers(t *testing.T) {
	m := measuring()
	for i := range int32(2 * maxBrokers) {
		r := oneTopic("orders", ms)
		r.Broker = i - 1
		m.Request(r)
		m.Write(&Write{Broker: i - 1, Duration: ms})
	}
	m.Write(&Write{Broker: math.MinInt32, Duration: ms})
	f := scrape(t, serve(t, m), acceptProtobuf)
	if n := len(f["tailspan_write_duration_max_seconds"].Metric); n != maxBrokers+1 {
		t.Errorf("%d brokers", n)
	}
	for broker, want := range map[string]uint64{"unknown": 2, "0": 1, "(other)": maxBrokers} {
		if h := f.get("tailspan_write_duration_seconds", "broker", broker).GetHistogram(); h.GetSampleCount() != want {
			t.Errorf("%s: %d", broker, h.GetSampleCount())
		}
	}
}

func TestStringsAreCopied(t *testing.T) {
	m := measuring()
	buffer := []byte("ordersWHY")
	in := func(from, to int) string { return unsafe.String(&buffer[from], to-from) }
	m.Request(&Request{Broker: 1, Failed: true, Topics: []TopicPart{
		{Topic: in(0, 6), Partitions: 2, Errors: 1, Error: in(6, 9)}}})
	copy(buffer, "xxxxxxxxx")
	m.Request(oneTopic("orders", ms))
	f := scrape(t, serve(t, m), acceptProtobuf)
	if n := f.get("tailspan_produce_duration_seconds", "broker", "1", "topic", "orders").GetHistogram().GetSampleCount(); n != 2 {
		t.Errorf("%d requests", n)
	}
	if n := f.value("tailspan_produce_errors_total", "broker", "1", "topic", "orders", "error", "WHY"); n != 1 {
		t.Errorf("%v errors", n)
	}
}
