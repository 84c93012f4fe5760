package metrics

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const began = int64(1_800_000_000_000_000_000) // Unix ns

func traceID(n uint64) (id spans.TraceID) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

var broker1 = &spans.Resource{Attributes: []attribute.KeyValue{
	attribute.String("service.name", "kafka"), attribute.Int(spans.KeyBrokerID, 1)}}

// keptRequest is a trace of a request that began n seconds after the others.
func keptRequest(n uint64, topic string, latency time.Duration, below ...spans.Span) *spans.Trace {
	start := began + int64(n)*int64(time.Second)
	root := spans.Span{Name: "produce " + topic, Kind: spans.Server, Start: start, End: start + int64(latency),
		Attributes: []attribute.KeyValue{attribute.String(spans.KeySystem, "kafka"), attribute.String(spans.KeyDestination, topic)}}
	if topic == "" { // of several
		root.Name, root.Attributes = "produce", root.Attributes[:1]
	}
	t := &spans.Trace{ID: traceID(n), Resource: broker1, Spans: []spans.Span{root}}
	for _, s := range below {
		s.End += start - s.Start
		s.Start = start
		t.Spans = append(t.Spans, s)
	}
	return t
}

func took(name string, d time.Duration, attrs ...attribute.KeyValue) spans.Span {
	return spans.Span{Name: name, End: int64(d), Attributes: attrs}
}

// shownBy lists the exemplars of a histogram, as value and trace.
func shownBy(h *dto.Histogram) (native, classic []string) {
	for _, e := range h.GetExemplars() {
		native = append(native, describe(e))
	}
	for _, b := range h.GetBucket() {
		if b.Exemplar != nil {
			classic = append(classic, describe(b.Exemplar))
		}
	}
	slices.Sort(native)
	slices.Sort(classic)
	return native, classic
}

func describe(e *dto.Exemplar) string {
	l := e.GetLabel()
	return fmt.Sprintf("%g %s=%s at %d", e.GetValue(), l[0].GetName(), strings.TrimLeft(l[0].GetValue(), "0"), e.GetTimestamp().AsTime().UnixNano()-began)
}

func TestNoExemplarOfWhatWasNotKept(t *testing.T) {
	m := measuring()
	full(m)
	url := serve(t, m)
	if _, text := fetch(t, url, acceptOpenMetrics); strings.Contains(string(text), "trace_id") {
		t.Error("an exemplar, though nothing was kept")
	}
	for name, f := range scrape(t, url, acceptProtobuf) {
		for _, x := range f.Metric {
			if native, classic := shownBy(x.GetHistogram()); native != nil || classic != nil {
				t.Errorf("%s: %v %v", name, native, classic)
			}
		}
	}
}

func TestExemplarsOfEachSpan(t *testing.T) {
	m := measuring()
	full(m)
	m.Kept(keptRequest(10, "orders", 80*ms,
		took(spans.NameQueue, ms), took(spans.NameReplication, 2*ms), took(spans.NameWrite, 79*ms),
		took(spans.NameExt4DirtyInode, 78*ms), took(spans.NameFsync, 7*ms), took(spans.NameMonitorWait, 60*ms),
		took(spans.NamePark, 50*ms), took(spans.NameGC, 12*ms), took(spans.NameVMOperation, ms),
		took(spans.NameJBD2Commit, 70*ms), took(spans.NameReceive, ms)))
	m.Kept(&spans.Trace{ID: traceID(11), Spans: []spans.Span{
		took(spans.NameJournalCommit, 100*ms, attribute.String(spans.KeyDevice, "8:1")),
		took("jbd2.start", 1), took("jbd2.locking", ms), took("jbd2.flushing", 9*ms), took("jbd2.logging", 90*ms)}})
	all := scrape(t, serve(t, m), acceptProtobuf)
	for _, x := range []struct {
		metric string
		labels []string
		want   string
	}{
		{"produce_duration", []string{"broker", "1", "topic", "orders"}, "0.08 trace_id=a at 10080000000"},
		{"request_queue_duration", []string{"broker", "1"}, "0.001 trace_id=a at 10001000000"},
		{"replication_wait_duration", []string{"broker", "1"}, "0.002 trace_id=a at 10002000000"},
		{"write_duration", []string{"broker", "1"}, "0.079 trace_id=a at 10079000000"},
		{"ext4_dirty_inode_duration", []string{"broker", "1"}, "0.078 trace_id=a at 10078000000"},
		{"fsync_duration", []string{"broker", "1"}, "0.007 trace_id=a at 10007000000"},
		{"monitor_wait_duration", []string{"broker", "1"}, "0.06 trace_id=a at 10060000000"},
		{"park_wait_duration", []string{"broker", "1"}, "0.05 trace_id=a at 10050000000"},
		{"jvm_pause_duration", []string{"broker", "1", "kind", "gc"}, "0.012 trace_id=a at 10012000000"},
		{"jvm_pause_duration", []string{"broker", "1", "kind", "vmop"}, "0.001 trace_id=a at 10001000000"},
		{"journal_commit_duration", []string{"device", "8:1"}, "0.1 trace_id=b at -1799999999900000000"},
		{"journal_commit_phase_duration", []string{"device", "8:1", "phase", "locking"}, "0.001 trace_id=b at -1799999999999000000"},
		{"journal_commit_phase_duration", []string{"device", "8:1", "phase", "flushing"}, "0.009 trace_id=b at -1799999999991000000"},
		{"journal_commit_phase_duration", []string{"device", "8:1", "phase", "logging"}, "0.09 trace_id=b at -1799999999910000000"},
	} {
		native, classic := shownBy(all.get("tailspan_"+x.metric+"_seconds", x.labels...).GetHistogram())
		if len(native) != 1 || native[0] != x.want || !slices.Equal(native, classic) {
			t.Errorf("%s %v: %v, %v, want %s", x.metric, x.labels, native, classic, x.want)
		}
	}
	if s := m.Stats(); s != (Stats{Exemplars: 14}) {
		t.Errorf("%+v", s)
	}
}

func TestNoExemplarOfAShortenedSpan(t *testing.T) {
	m := measuring()
	full(m)
	m.Kept(keptRequest(1, "orders", 80*ms, took(spans.NameWrite, 79*ms, attribute.Int64(spans.KeyClipped, 5))))
	stub := keptRequest(2, "orders", 80*ms)
	stub.Spans[0].Attributes = append(stub.Spans[0].Attributes, attribute.Bool(spans.KeyStub, true))
	m.Kept(stub)
	m.Kept(&spans.Trace{ID: traceID(3)})
	all := scrape(t, serve(t, m), acceptProtobuf)
	if native, _ := shownBy(all.get("tailspan_write_duration_seconds", "broker", "1").GetHistogram()); native != nil {
		t.Errorf("clipped: %v", native)
	}
	native, _ := shownBy(all.get("tailspan_produce_duration_seconds", "broker", "1", "topic", "orders").GetHistogram())
	if len(native) != 1 || !strings.Contains(native[0], "trace_id=1 ") {
		t.Errorf("stub: %v", native)
	}
	if s := m.Stats(); s.Cut != 2 || s.Exemplars != 1 {
		t.Errorf("%+v", s)
	}
}

// TestLatestOfEachBucket: traces are exported in any order.
func TestLatestOfEachBucket(t *testing.T) {
	m := measuring()
	for _, d := range []time.Duration{70 * ms, 80 * ms, 300 * ms, 40 * time.Second, 50 * time.Second} {
		m.Request(oneTopic("orders", d))
	}
	m.Kept(keptRequest(5, "orders", 70*ms))
	m.Kept(keptRequest(3, "orders", 80*ms))
	m.Kept(keptRequest(4, "orders", 300*ms))
	m.Kept(keptRequest(1, "orders", 40*time.Second))
	m.Kept(keptRequest(2, "orders", 50*time.Second))
	m.Kept(keptRequest(9, "orders", 3*ms)) // never measured: nothing counts in its bucket
	h := scrape(t, serve(t, m), acceptProtobuf).get("tailspan_produce_duration_seconds", "broker", "1", "topic", "orders").GetHistogram()
	native, classic := shownBy(h)
	want := []string{"0.07 trace_id=5 at 5070000000", "0.3 trace_id=4 at 4300000000", "50 trace_id=2 at 52000000000"}
	if !slices.Equal(native, want) || !slices.Equal(classic, want) {
		t.Errorf("native %v\nclassic %v\nwant %v", native, classic, want)
	}
	for i, e := range h.Exemplars {
		if i > 0 && e.GetTimestamp().AsTime().Before(h.Exemplars[i-1].GetTimestamp().AsTime()) {
			t.Error("exemplars are not in the order of time")
		}
	}
	lower := 0.0
	for _, b := range h.Bucket {
		if v := b.GetExemplar().GetValue(); b.Exemplar != nil && (v <= lower || v > b.GetUpperBound()) {
			t.Errorf("exemplar %v in the bucket up to %v", v, b.GetUpperBound())
		}
		lower = b.GetUpperBound()
	}
}

// TestLateExemplar: one that is older than what was scraped already is stamped
// after it, and keeps its stamp.
func TestLateExemplar(t *testing.T) {
	m := measuring()
	for _, d := range []time.Duration{ms, 80 * ms, 300 * ms, 700 * ms} {
		m.Request(oneTopic("orders", d))
	}
	url := serve(t, m)
	shown := func() []string {
		native, classic := shownBy(scrape(t, url, acceptProtobuf).get("tailspan_produce_duration_seconds", "broker", "1", "topic", "orders").GetHistogram())
		if !slices.Equal(native, classic) {
			t.Errorf("native %v, classic %v", native, classic)
		}
		return native
	}
	m.Kept(keptRequest(9, "orders", ms))
	shown()
	m.Kept(keptRequest(3, "orders", 80*ms))
	m.Kept(keptRequest(2, "orders", 300*ms))
	m.Kept(keptRequest(10, "orders", 700*ms))
	want := []string{"0.001 trace_id=9 at 9001000000", "0.08 trace_id=3 at 9002000000", "0.3 trace_id=2 at 9003000000", "0.7 trace_id=a at 10700000000"}
	for range 2 {
		if got := shown(); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	m.Kept(keptRequest(4, "orders", 80*ms))
	if got := shown(); got[1] != "0.08 trace_id=4 at 10701000000" {
		t.Error(got)
	}
}

func TestExemplarsInOpenMetrics(t *testing.T) {
	m := measuring()
	m.Request(oneTopic("orders", 80*ms))
	m.Kept(keptRequest(10, "orders", 80*ms))
	_, text := fetch(t, serve(t, m), acceptOpenMetrics)
	want := `tailspan_produce_duration_seconds_bucket{broker="1",topic="orders",le="0.1"} 1 # {trace_id="0000000000000000000000000000000a"} 0.08 1.80000001008e+09`
	if !strings.Contains(string(text), want+"\n") {
		t.Errorf("no %s", want)
	}
	if n := strings.Count(string(text), "trace_id"); n != 1 {
		t.Errorf("%d exemplars", n)
	}
}

func TestWhoseExemplar(t *testing.T) {
	m := New(Options{MaxTopics: 1})
	other := &spans.Resource{Attributes: []attribute.KeyValue{attribute.String(spans.KeyBrokerID, "1")}}
	m.Request(oneTopic("own", 80*ms))
	m.Request(oneTopic("late", 80*ms))
	m.Request(&Request{Broker: -1, Latency: 80 * ms, Topics: []TopicPart{{Topic: "own"}, {Topic: "late"}}})
	m.Kept(keptRequest(1, "own", 80*ms))
	asText := keptRequest(2, "late", 80*ms)
	asText.Resource = other
	m.Kept(asText)
	several := keptRequest(3, "", 80*ms)
	several.Resource = nil
	m.Kept(several)
	elsewhere := keptRequest(4, "own", 80*ms)
	elsewhere.Resource = &spans.Resource{Attributes: []attribute.KeyValue{attribute.Int(spans.KeyBrokerID, 7)}}
	m.Kept(elsewhere)
	all := scrape(t, serve(t, m), acceptProtobuf)
	for labels, trace := range map[[2]string]string{{"1", "own"}: "1", {"1", "(other)"}: "2", {"unknown", "(several)"}: "3"} {
		native, _ := shownBy(all.get("tailspan_produce_duration_seconds", "broker", labels[0], "topic", labels[1]).GetHistogram())
		if len(native) != 1 || !strings.Contains(native[0], "trace_id="+trace+" ") {
			t.Errorf("%v: %v, want %s", labels, native, trace)
		}
	}
	if s := m.Stats(); s.Unmeasured != 1 {
		t.Errorf("%+v", s)
	}
}

func TestExemplarsOfManyDevices(t *testing.T) {
	m := measuring()
	for i := range maxDevices + 3 {
		m.Commit(&Commit{Device: event.Device(uint32(i)), Duration: 100 * ms})
	}
	m.Kept(&spans.Trace{ID: traceID(1), Spans: []spans.Span{
		took(spans.NameJournalCommit, 100*ms, attribute.String(spans.KeyDevice, deviceLabel(maxDevices+1)))}})
	all := scrape(t, serve(t, m), acceptProtobuf)
	if n := len(all["tailspan_journal_commit_duration_seconds"].Metric); n != maxDevices+1 {
		t.Errorf("%d devices", n)
	}
	h := all.get("tailspan_journal_commit_duration_seconds", "device", "(other)").GetHistogram()
	if native, _ := shownBy(h); h.GetSampleCount() != 3 || len(native) != 1 {
		t.Errorf("%v", h)
	}
}
