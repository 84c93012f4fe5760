package flood

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/recording"
)

// small is a flood that is over at once.
func small() Script {
	s := Default()
	s.Rate, s.For = 5000, 2*time.Second
	return s
}

func made(t testing.TB, s Script) ([]byte, *Truth) {
	t.Helper()
	var b bytes.Buffer
	g, err := New(s, &b)
	if err != nil {
		t.Fatal(err)
	}
	truth, err := g.Run(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), truth
}

// TestSameSeed: a script gives the same bytes, another seed others.
func TestSameSeed(t *testing.T) {
	a, _ := made(t, small())
	b, _ := made(t, small())
	other := small()
	other.Seed++
	c, _ := made(t, other)
	if !bytes.Equal(a, b) || bytes.Equal(a, c) {
		t.Error("what is written does not follow the seed")
	}
}

// reader checks that a stream is what it should be.
type reader struct {
	*testing.T
	mark            event.Time
	kinds           map[bpf.Kind]int
	packets, clocks int
}

func (r *reader) Packet(p capture.Packet) error {
	r.packets++
	if at := event.Time(p.Unix - unixMono); r.mark != 0 && at <= r.mark {
		r.Errorf("a packet at %d after a mark at %d", at, r.mark)
	}
	return nil
}

func (r *reader) Probe(raw []byte) error {
	var rec bpf.Record
	if err := bpf.Decode(raw, &rec); err != nil {
		r.Fatalf("%v: %x", err, raw)
	}
	r.kinds[rec.Kind]++
	if event.Time(rec.Time) <= r.mark {
		r.Errorf("a %s at %d after a mark at %d", rec.Kind, rec.Time, r.mark)
	}
	if w := &rec.Write; rec.Kind == bpf.KindWrite && (w.Start >= rec.Time || w.Head == nil || w.Result <= 0) {
		r.Errorf("%+v", rec)
	}
	return nil
}

func (r *reader) Fact(f recording.Fact) error {
	if f.Progress != nil {
		r.mark = f.Progress.Time
	}
	if f.Clock != nil {
		r.clocks++
	}
	return nil
}

// TestRecords: all is well formed, nothing comes after the mark that says it has
// come, and the numbers are those of the script.
func TestRecords(t *testing.T) {
	b, truth := made(t, small())
	f, err := capture.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{T: t, kinds: map[bpf.Kind]int{}}
	if err := recording.Play(f, r); err != nil {
		t.Fatal(err)
	}
	s := small()
	stalls := int((s.For - stallEach - Slowest) / stallEach)
	slow := stalls * (perStall(s.Slow.Commit) + perStall(s.Slow.Lock) + perStall(s.Slow.Queue) + perStall(s.Slow.Replication))
	total := s.Rate*int(s.For/time.Second) + slow
	waits := stalls * perStall(s.Slow.Lock)
	for _, c := range []struct {
		what      string
		got, want int
	}{
		{"requests", truth.Requests, total},
		{"slow ones", len(truth.Traces), slow},
		{"writes", r.kinds[bpf.KindWrite], total},
		{"wake-ups", r.kinds[bpf.KindWake], total},
		{"ends of waits", r.kinds[bpf.KindMonitorEntered], waits},
		{"releases", r.kinds[bpf.KindMonitorExit], waits},
		{"stays off the CPU", r.kinds[bpf.KindOffCPU], stalls * perStall(s.Slow.Commit)},
		{"phases of commits", r.kinds[bpf.KindJournal], stalls * 5},
	} {
		if c.got != c.want {
			t.Errorf("%d %s, want %d", c.got, c.what, c.want)
		}
	}
	if r.packets < 2*total || r.clocks < 3 {
		t.Errorf("%d packets, %d clocks", r.packets, r.clocks)
	}
}

func TestValidate(t *testing.T) {
	for name, change := range map[string]func(*Script){
		"no rate":        func(s *Script) { s.Rate = 0 },
		"few topics":     func(s *Script) { s.Topics = 3 },
		"few conns":      func(s *Script) { s.Connections = 99 },
		"many writers":   func(s *Script) { s.Slow.Commit = 4000 },
		"no holder":      func(s *Script) { s.Slow.Commit = 0 },
		"many followers": func(s *Script) { s.Slow.Replication = 100_000 },
		"no time":        func(s *Script) { s.For = 0 },
	} {
		s := Default()
		change(&s)
		if _, err := New(s, io.Discard); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// BenchmarkGenerator is what a request costs before anybody reads it.
func BenchmarkGenerator(b *testing.B) {
	s := Default()
	s.For = time.Duration(b.N) * time.Second / time.Duration(s.Rate)
	g, err := New(s, io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := g.Run(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(g.truth.Requests)/b.Elapsed().Seconds(), "requests/s")
	b.ReportMetric(float64(g.Bytes())/float64(g.truth.Requests), "bytes/request")
}
