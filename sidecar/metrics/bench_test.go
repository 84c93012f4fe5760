package metrics

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// requests are of 100 topics, with all that a request can have; one in 16 is slow.
func requests(n int) []Request {
	rng := rand.New(rand.NewPCG(3, 4))
	all := make([]Request, n)
	for i := range all {
		d := func(median time.Duration) time.Duration {
			return time.Duration(float64(median) * math.Exp(rng.NormFloat64()))
		}
		all[i] = Request{Broker: 1, Latency: d(3 * ms), Queue: d(50 * time.Microsecond), Replication: d(ms),
			Cause: spans.CauseWrite, RootCause: spans.CauseCommit,
			Topics: []TopicPart{{Topic: fmt.Sprintf("topic-%d", rng.IntN(100)), Partitions: 1, Bytes: 1000, Records: 10}}}
		if i%16 == 0 {
			all[i].Latency += 65 * ms
		}
	}
	return all
}

func measuring() *Metrics { return New(Options{SLO: objective}) }

func BenchmarkRequest(b *testing.B) {
	m, all := measuring(), requests(1<<14)
	for i := range all {
		m.Request(&all[i])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Request(&all[i%len(all)])
	}
}

func BenchmarkWrite(b *testing.B) {
	m, all := measuring(), requests(1<<14)
	m.Write(&Write{Broker: 1})
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Write(&Write{Broker: 1, Duration: all[i%len(all)].Queue})
	}
}

// BenchmarkObserve is one observation, and BenchmarkClientGolang one by client_golang.
func BenchmarkObserve(b *testing.B) {
	h, all := &histogram{}, requests(1<<14)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.observe(all[i%len(all)].Latency)
	}
}

func BenchmarkClientGolang(b *testing.B) {
	h, all := oracle(), requests(1<<14)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Observe(seconds(all[i%len(all)].Latency))
	}
}

// BenchmarkTake is how long a scrape of 100 topics holds up those who measure.
func BenchmarkTake(b *testing.B) {
	m, all := measuring(), requests(1<<14)
	for i := range all {
		m.Request(&all[i])
	}
	b.ReportAllocs()
	for b.Loop() {
		m.take()
	}
}

// BenchmarkScrape is a whole one, of 100 topics with exemplars.
func BenchmarkScrape(b *testing.B) {
	m, all := measuring(), requests(1<<14)
	full(m)
	for i := range all {
		m.Request(&all[i])
		m.Kept(keptRequest(uint64(i+1), all[i].Topics[0].Topic, all[i].Latency))
	}
	h := m.Handler()
	for name, accept := range map[string]string{"text": acceptText, "openmetrics": acceptOpenMetrics, "protobuf": acceptProtobuf} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "/metrics", nil)
			r.Header.Set("Accept", accept)
			b.ReportAllocs()
			n := int64(0)
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				n, _ = io.Copy(io.Discard, w.Body)
			}
			b.ReportMetric(float64(n), "B/scrape")
		})
	}
}

func TestNoAllocation(t *testing.T) {
	m, all := measuring(), requests(1000)
	several := Request{Broker: 2, Latency: ms, Failed: true, Topics: []TopicPart{
		{Topic: "a", Partitions: 2, Errors: 1, Error: "X"}, {Topic: "b", Partitions: 1, Errors: 1, Error: "Y"}}}
	measure := func() {
		for i := range all {
			m.Request(&all[i])
		}
		m.Request(&several)
		m.Write(&Write{Broker: 1, Duration: ms})
		m.DirtyInode(1, ms)
		m.Fsync(1, ms)
		m.Wait(&Wait{Broker: 1, Duration: ms})
		m.Commit(&Commit{Device: event.Device(8 << 20), Duration: ms, Logging: ms})
		m.Pause(&Pause{Broker: 1, Duration: ms})
	}
	measure()
	if n := testing.AllocsPerRun(10, measure); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
