package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Quantiles of any durations are within Error of the true ones, and the greatest
// is exact.
func TestQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 10, 999, 1000, 20_000} {
		m := measuring()
		all := make([]time.Duration, n)
		for i := range all {
			all[i] = time.Duration(float64(200*time.Microsecond) * math.Exp(2*rng.NormFloat64()))
			m.Write(&Write{Broker: int32(i % 3), Duration: all[i]})
		}
		var x Totals
		m.Totals(&x)
		slices.Sort(all)
		if got := x.Write.Count(); got != uint64(n) || x.Write.Max != all[n-1] {
			t.Fatalf("%d: counted %d, longest %v, want %v", n, got, x.Write.Max, all[n-1])
		}
		for _, q := range []float64{0.5, 0.99, 0.999, 1} {
			got, want := x.Write.Quantile(q), all[int(math.Ceil(q*float64(n)))-1]
			if off := math.Abs(float64(got)/float64(want) - 1); off > Error {
				t.Errorf("%d: p%v is %v, want %v: %.1f %% off", n, 100*q, got, want, 100*off)
			}
		}
	}
}

// Totals are what a scrape counts, over whatever has a label; Max is of the time
// since the last ones.
func TestTotals(t *testing.T) {
	m := New(Options{SLO: objective, MaxTopics: 1})
	ask := func(topic string, d time.Duration, root spans.Cause) bool {
		return m.Request(&Request{Broker: 1, Latency: d, Cause: root, RootCause: root, Topics: []TopicPart{{Topic: topic, Bytes: 100, Records: 2}}})
	}
	if !ask("a", 70*ms, spans.CauseCommit) || ask("a", ms, spans.CauseSend) || !ask("b", 80*ms, spans.CauseCommit) || !ask("b", 90*ms, spans.CauseNone) {
		t.Error("slow or not")
	}
	m.Commit(&Commit{Device: 1 << 20, Duration: 3 * ms})
	m.Commit(&Commit{Device: 2 << 20, Duration: 4 * ms})
	var first, second Totals
	m.Totals(&first)
	if first.Produce.Count() != 4 || first.Bytes != 400 || first.Records != 8 || first.Commit.Count() != 2 ||
		first.Slow[spans.CauseCommit] != 2 || first.Slow[spans.CauseNone] != 1 || len(first.Slow) != 2 ||
		first.Produce.Max != 90*ms || first.Commit.Max != 4*ms {
		t.Errorf("%+v", first.Slow)
	}
	ask("a", 2*ms, spans.CauseSend)
	m.Totals(&second)
	since := second.Produce.Since(&first.Produce)
	if since.Count() != 1 || second.Produce.Max != 2*ms || second.Commit.Max != 0 {
		t.Errorf("since: %d, longest %v, %v", since.Count(), second.Produce.Max, second.Commit.Max)
	}
	if got := since.Quantile(0.5); math.Abs(float64(got)/float64(2*ms)-1) > Error {
		t.Errorf("since: %v", got)
	}
	if (&Durations{}).Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
}

// What is shorter than the first bucket or longer than the last has one, too.
func TestQuantileEnds(t *testing.T) {
	m := measuring()
	m.Write(&Write{})
	m.Write(&Write{Duration: math.MaxInt64})
	var x, later Totals
	m.Totals(&x)
	m.Totals(&later) // without the greatest
	for _, d := range []*Durations{&x.Write, &later.Write} {
		if lo, hi := d.Quantile(0.5), d.Quantile(1); lo > time.Microsecond || hi < 4*time.Hour {
			t.Errorf("%v, %v", lo, hi)
		}
	}
}

// BenchmarkTotals is of 100 topics.
func BenchmarkTotals(b *testing.B) {
	m, all := measuring(), requests(1<<14)
	for i := range all {
		m.Request(&all[i])
	}
	var t Totals
	b.ReportAllocs()
	for b.Loop() {
		m.Totals(&t)
	}
}
