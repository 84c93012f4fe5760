package view

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/metrics"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/spans"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	ms  = time.Millisecond
	slo = 65 * ms
)

var begin = time.Date(2026, 11, 23, 17, 30, 0, 0, time.UTC)

// slow is a finished slow request.
type slow struct {
	trace *spans.Trace
	built int
}

func (s *slow) Summary() spans.Summary {
	root := s.trace.Root()
	return spans.Summary{ID: s.trace.ID, Start: root.Start, Latency: time.Duration(root.End - root.Start), Request: true}
}

func (s *slow) BuildTrace() *spans.Trace {
	s.built++
	return s.trace
}

// aSlow began so long after the beginning, and took d.
func aSlow(n byte, after, d time.Duration, topic, client string, more ...attribute.KeyValue) *slow {
	start := begin.Add(after).UnixNano()
	t := &spans.Trace{ID: spans.TraceID{n, 0xab}, Spans: []spans.Span{{ID: spans.SpanID{1}, Name: "produce", Start: start, End: start + int64(d),
		Attributes: append([]attribute.KeyValue{attribute.StringSlice(spans.KeyPartitions, strings.Fields(topic)), attribute.String(spans.KeyClientID, client)}, more...)}}}
	return &slow{trace: t}
}

func caused(cause, root spans.Cause, reason string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(spans.KeyCause, string(cause)), attribute.String(spans.KeyRootCause, string(root)), attribute.String(spans.KeyReason, reason)}
}

// measured is a minute and a half of a broker whose disk holds still now and then.
func measured() *History {
	m := metrics.New(metrics.Options{SLO: func(string) time.Duration { return slo }})
	h, rng := &History{}, rand.New(rand.NewPCG(5, 6))
	h.Add(begin, m.Totals)
	for s := 1; s <= 90; s++ {
		for i := range 800 {
			d := time.Duration(float64(1200*time.Microsecond) * math.Exp(rng.NormFloat64()/2))
			r := metrics.Request{Broker: 1, Latency: d, Topics: []metrics.TopicPart{{Topic: "orders", Bytes: 1900, Records: 8}}}
			if s%9 == 0 && i < 20 {
				r.Latency, r.RootCause = 300*ms+time.Duration(i)*4*ms, spans.CauseCommit
				if i == 3 {
					r.RootCause = spans.CauseGC
				}
			}
			m.Request(&r)
			m.Write(&metrics.Write{Broker: 1, Duration: d / 100})
		}
		if s%5 == 0 {
			m.Commit(&metrics.Commit{Device: 7 << 20, Duration: time.Duration(s) * ms})
		}
		h.Add(begin.Add(time.Duration(s)*time.Second), m.Totals)
	}
	return h
}

// calm is a state between two stalls.
func calm() *State {
	var stalls Stalls
	waited := aSlow(2, 80*time.Second+ms, 382700*time.Microsecond, "orders-0 orders-1", "producer-3",
		caused(spans.CauseMonitor, spans.CauseCommit, "journal buffer under commit")...)
	waited.trace.Spans = append(waited.trace.Spans, spans.Span{Name: spans.NameMonitorWait, End: 5,
		Attributes: []attribute.KeyValue{attribute.String(spans.KeyHolder, "data-plane-kafka-request-handler-1 [26000]")}})
	for _, x := range []*slow{
		aSlow(1, 41*time.Second, 171*ms, "orders-1", "producer-1", caused(spans.CauseGC, spans.CauseGC, "")...),
		aSlow(3, 80*time.Second, 300*ms, "orders-0", "producer-2", caused(spans.CauseCommit, spans.CauseCommit, "journal buffer under commit")...),
		waited,
	} {
		stalls.Add(x)
	}
	return &State{
		Now: begin.Add(90 * time.Second), Since: begin, Version: "1.4.0", Brokers: []Broker{{Node: 1, PID: 25999}},
		SLO: slo, Measured: measured(), UnderWay: assemble.UnderWay{Requests: 3}, Stalls: stalls.Last(8),
	}
}

func stalled() *State {
	s := calm()
	s.UnderWay = assemble.UnderWay{Requests: 14, Late: 6, LockWaits: 2, LongestWait: 390 * ms,
		Oldest: &assemble.Waiting{For: 410200 * time.Microsecond, Topic: "orders", Partition: 1, ClientID: "producer-2"},
		Commit: &assemble.Committing{For: 396 * ms, Device: event.Device(7 << 20), Transaction: 149}}
	s.Recording = &Recording{File: "stall.pcapng", Bytes: 34_100_000}
	s.Down, s.Unsent = []string{"fsync"}, "unreachable: dial tcp 127.0.0.1:4317: connect: connection refused"
	s.Lost = map[string]uint64{"packet gaps": 3, "packets dropped by the kernel": 1200, "events late": 1, "panics": 1, "malformed probe records": 2}
	return s
}

func TestDraw(t *testing.T) {
	hostile := stalled()
	hostile.UnderWay.Oldest.ClientID = "\x1b]0;gotcha\a\x9b2J" + strings.Repeat("long", 100)
	hostile.Stalls[0].Slowest.Client = "a\r\nb\x1b[2J\u202e"
	hostile.Stalls[0].Slowest.Holder = "h\x1b[31m"
	hostile.Recording = &Recording{File: "x\x1b[2J", Broken: true}
	none := &State{Now: begin, Since: begin, Version: "devel", Measured: &History{}}
	several := calm()
	several.TopicSLOs = true
	several.Brokers = append(several.Brokers, Broker{Node: -1, PID: 7})
	for _, c := range []struct {
		name string
		s    *State
		o    report.WaterfallOptions
		rows int
	}{
		{"calm-80", calm(), report.WaterfallOptions{Width: 80}, 0},
		{"calm-120", calm(), report.WaterfallOptions{Width: 120}, 0},
		{"stalled-80", stalled(), report.WaterfallOptions{Width: 80}, 0},
		{"stalled-80x24", stalled(), report.WaterfallOptions{Width: 80}, 23},
		{"stalled-120", stalled(), report.WaterfallOptions{Width: 120}, 0},
		{"stalled-200", stalled(), report.WaterfallOptions{Width: 200}, 0},
		{"stalled-40x10", stalled(), report.WaterfallOptions{Width: 40}, 9},
		{"stalled-ascii", stalled(), report.WaterfallOptions{Width: 100, ASCII: true}, 0},
		{"stalled-color", stalled(), report.WaterfallOptions{Width: 100, Color: true}, 0},
		{"hostile", hostile, report.WaterfallOptions{Width: 100}, 0},
		{"nothing", none, report.WaterfallOptions{Width: 80}, 0},
		{"topics", several, report.WaterfallOptions{Width: 100}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.o.Location = time.UTC
			lines := Draw(c.s, Options{c.o, c.rows})
			if c.rows > 0 && len(lines) > c.rows {
				t.Errorf("%d lines", len(lines))
			}
			for _, l := range lines {
				if n := utf8.RuneCountInString(l); n > c.o.Width && !c.o.Color || !utf8.ValidString(l) || strings.ContainsAny(l, "\r\n\a\u009b\u202e") || strings.Contains(l, "\x1b") && !c.o.Color {
					t.Errorf("%d columns: %q", n, l)
				}
			}
			golden(t, c.name+".txt", []byte(strings.Join(lines, "\n")+"\n"))
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s differs (-update rewrites it):\n%s\nwanted:\n%s", file, got, want)
	}
}

// Rates and shares are of the time that the window spans, and the longest of a
// window is exact.
func TestWindows(t *testing.T) {
	m := metrics.New(metrics.Options{SLO: func(string) time.Duration { return slo }})
	h := &History{}
	if w := h.over(time.Minute); w.took != 0 || w.rate(5) != 0 {
		t.Errorf("without entries: %+v", w)
	}
	for s := range 200 {
		h.Add(begin.Add(time.Duration(s)*time.Second+time.Duration(s%2)*ms), m.Totals)
		m.Write(&metrics.Write{Broker: 1, Duration: time.Duration(s+1) * ms})
		m.Request(&metrics.Request{Broker: 1, Latency: 70 * ms, RootCause: spans.CauseGC, Topics: []metrics.TopicPart{{Topic: "t", Bytes: 10, Records: 1}}})
		for _, d := range []time.Duration{10 * time.Second, time.Minute} {
			w := h.over(d)
			want := min(s, int(d/time.Second))
			if got := w.took.Round(time.Second); got != time.Duration(want)*time.Second || w.kinds[1].Count() != uint64(want) || w.bytes != uint64(10*want) ||
				sum(w.slow) != uint64(want) || s > 0 && w.kinds[1].Max != time.Duration(s)*ms {
				t.Fatalf("after %d s, of %v: %v, %d writes, longest %v, %v slow", s, d, w.took, w.kinds[1].Count(), w.kinds[1].Max, w.slow)
			}
		}
	}
}

// Slow requests that overlap are one stall; its slowest is told, and nothing else is
// built.
func TestStalls(t *testing.T) {
	var s Stalls
	quick, slowest := aSlow(1, 0, 70*ms, "a-0", "c"), aSlow(2, 10*ms, 300*ms, "a-0", "c")
	for _, x := range []*slow{quick, slowest, aSlow(3, 50*ms, 100*ms, "a-0", "c"), // one
		aSlow(5, 2*time.Second, 80*ms, "a-0", "c"), aSlow(4, time.Second, 90*ms, "a-0", "c")} { // and two, in any order
		s.Add(x)
	}
	all := s.Last(8)
	if len(all) != 3 || all[0].Slowest.TraceID[:2] != "05" || all[1].Slowest.TraceID[:2] != "04" || all[2].Requests != 3 || all[2].Slowest.Latency != 300*ms {
		t.Fatalf("%+v", all)
	}
	s.Last(8)
	if quick.built != 0 || slowest.built != 1 {
		t.Errorf("built %d and %d times", quick.built, slowest.built)
	}
	s.Add(aSlow(9, 200*ms, 900*ms, "a-0", "c")) // joins two of them
	if all := s.Last(8); len(all) != 2 || all[1].Requests != 5 || all[1].Slowest.TraceID[:2] != "09" {
		t.Errorf("joined: %+v", all)
	}
	for i := range 1000 { // all the time
		s.Add(aSlow(6, 3*time.Second+time.Duration(i)*50*ms, 100*ms, "a-0", "c"))
	}
	if n := len(s.list); n > maxStalls || n < 5 {
		t.Errorf("%d stalls", n)
	}
	if s.Last(2)[0].Start < s.Last(2)[1].Start {
		t.Error("not the latest first")
	}
	s.Add(aSlow(7, time.Hour, time.Minute, "a-0", "c"))
	s.Add(aSlow(8, time.Hour+time.Second, time.Second, "a-0", "c"))
	if x := s.Last(1)[0]; x.Requests != 2 || x.Slowest.Latency != time.Minute {
		t.Errorf("a long one: %+v", x)
	}
}

func BenchmarkDraw(b *testing.B) {
	s := stalled()
	o := Options{report.WaterfallOptions{Width: 120, Color: true, Location: time.UTC}, 40}
	b.ReportAllocs()
	for b.Loop() {
		if len(Draw(s, o)) == 0 {
			b.Fatal("nothing")
		}
	}
}

func BenchmarkStallsAdd(b *testing.B) {
	var s Stalls
	x := make([]*slow, 1024)
	for i := range x {
		x[i] = aSlow(byte(i), time.Duration(i)*3*ms, 70*ms+time.Duration(i%50)*ms, "orders-0", fmt.Sprint(i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Add(x[i%len(x)])
	}
}
