package sample

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// cell is a part of the requests that somebody may want to count.
type cell struct{ topic, class string }

// traffic is a few seconds of requests of several topics and latencies, some
// of them linked; rate is that of the budget.
type traffic struct {
	rate    int
	share   float64
	seconds int
	load    [2]int // requests of even and of odd seconds
	twins   bool   // some of one cell share an id
}

// kept is a request that was exported.
type kept struct {
	cell
	rank  uint64
	state string
}

// run counts what came and what was kept. Other seeds are other ids only: what
// comes is the same.
func (tr traffic) run(t testing.TB, seed uint64) (came map[cell]int, out []kept) {
	ids, r := rand.New(rand.NewPCG(seed, 11)), rand.New(rand.NewPCG(7, 7))
	came = map[cell]int{}
	s := New(Options{
		SLO: func(topic string) time.Duration {
			if topic == "b" {
				return 20 * ms
			}
			return 65 * ms
		},
		Errors: true, Causes: []spans.Cause{spans.CauseGC}, Slowest: 4, Each: 1500 * ms, Share: tr.share,
		MaxSpansRate: tr.rate, Keep: 256, Stubs: 512,
		Export: func(*spans.Trace) bool { return true },
	})
	var all []*counted
	var lately [32]spans.TraceID
	for sec := range tr.seconds {
		n := tr.load[sec%2]
		for i := range n {
			m := request(ids, r)
			m.sum.Start = int64(time.Hour) + int64(sec)*int64(time.Second) + int64(i)*int64(time.Second)/int64(n) - int64(m.sum.Latency)
			if last := len(all) - 1; tr.twins && i%3 > 0 && all[last].cell == m.cell {
				m.sum.ID = all[last].sum.ID
			}
			for range r.IntN(3) {
				m.links = append(m.links, lately[r.IntN(len(lately))])
			}
			lately[r.IntN(len(lately))] = m.sum.ID
			all = append(all, m)
			came[m.cell]++
			s.Offer(m)
		}
	}
	s.Close()
	for _, m := range all {
		if m.trace != nil {
			out = append(out, kept{m.cell, randomness(m.sum.ID), m.trace.State})
		}
	}
	return came, out
}

// counted is a request that knows which cell it is of.
type counted struct {
	made
	cell
}

// request is of a topic that has many or few, and mostly quick.
func request(ids, r *rand.Rand) *counted {
	c := &counted{made: made{sum: spans.Summary{Request: true, Explains: r.IntN(4) == 0}, spans: 1 + r.IntN(8)}}
	binary.BigEndian.PutUint64(c.sum.ID[:], ids.Uint64())
	binary.BigEndian.PutUint64(c.sum.ID[8:], ids.Uint64())
	octave := math.Abs(r.NormFloat64()) * 2.5
	c.sum.Latency = time.Duration(float64(8*ms) * math.Exp2(octave))
	c.sum.Topic = topics[r.IntN(len(topics))]
	c.cell = cell{c.sum.Topic, octaveNames[min(int(octave), len(octaveNames)-1)]}
	switch r.IntN(40) {
	case 0:
		c.sum.Failed, c.class = true, "failed"
	case 1:
		c.sum.RootCause, c.class = spans.CauseGC, "gc"
	}
	return c
}

var (
	topics      = strings.Split("a a a a a a a a a b b b b c c d", " ")
	octaveNames = []string{"8 ms", "16 ms", "32 ms", "64 ms", "128 ms", "256 ms", "512 ms"}
)

// The weights that somebody might give to what was kept.
type weights func(*testing.T, []kept) func(kept) float64

// right is the specification's adjusted count.
func right(t *testing.T, _ []kept) func(kept) float64 {
	return func(k kept) float64 {
		threshold, ok := parse(t, k.state)
		if !ok {
			return 0
		}
		if k.rank < threshold {
			t.Fatalf("%014x was kept with %s", k.rank, k.state)
		}
		return float64(never) / float64(never-threshold)
	}
}

// each counts everything that was kept once.
func each(*testing.T, []kept) func(kept) float64 {
	return func(kept) float64 { return 1 }
}

// unknown takes what was kept for another's sake for certain, else is right.
func unknown(t *testing.T, all []kept) func(kept) float64 {
	w := right(t, all)
	return func(k kept) float64 {
		if k.state == "" {
			return 1
		}
		return w(k)
	}
}

// next is off by one: the threshold is not the greatest rank that was given
// up, but the least that was kept.
func next(t *testing.T, all []kept) func(kept) float64 {
	least := map[string]uint64{}
	for _, k := range all {
		if r, ok := least[k.state]; !ok || k.rank < r {
			least[k.state] = k.rank
		}
	}
	w := right(t, all)
	return func(k kept) float64 {
		if len(k.state) < len("ot=th:")+8 { // none, 0, or the share's
			return w(k)
		}
		return float64(never) / float64(never-least[k.state])
	}
}

// cells are the parts that a request is of: topic by class, its topic, its
// class, and all.
func (c cell) cells() [4]cell {
	return [4]cell{c, {c.topic, ""}, {"", c.class}, {"", ""}}
}

// runs of one traffic, with other ids each.
const runs = 150

// off is by how many standard errors the mean estimate of many runs misses
// what came, in the cell where that is most; of those of which hundreds are
// kept in all runs together, for the errors of others are not normal.
func (tr traffic) off(t *testing.T, of weights) (sigmas float64, where cell) {
	t.Helper()
	sum, squares := map[cell]float64{}, map[cell]float64{}
	var came map[cell]int
	exported := 0
	for seed := range runs {
		var out []kept
		came, out = tr.run(t, uint64(seed))
		exported += len(out)
		weight, estimate := of(t, out), map[cell]float64{}
		for _, k := range out {
			for _, c := range k.cells() {
				estimate[c] += weight(k)
			}
		}
		for c, e := range estimate {
			sum[c] += e
			squares[c] += e * e
		}
	}
	n := float64(runs)
	checked := 0
	truth := map[cell]float64{}
	for c, k := range came {
		for _, part := range c.cells() {
			truth[part] += float64(k)
		}
	}
	for c, want := range truth {
		if want*float64(exported)/truth[cell{}] < 400 {
			continue
		}
		checked++
		mean := sum[c] / n
		se := math.Sqrt(max(squares[c]/n-mean*mean, 0) / (n - 1))
		if by := math.Abs(mean-want) / max(se, 1e-9*want); by > sigmas {
			sigmas, where = by, c
		}
	}
	t.Logf("%.0f %% kept; off by %.1f standard errors at most (%v) in %d of %d cells",
		100*float64(exported)/n/truth[cell{}], sigmas, where, checked, len(truth))
	return sigmas, where
}

// The sum of 1/p over what was kept with a probability that is known counts
// the requests of every topic and class, whatever had to be dropped.
func TestCountsAreUnbiased(t *testing.T) {
	for name, tr := range map[string]traffic{
		"no budget":    {share: 0.1, seconds: 4, load: [2]int{200, 900}},
		"under budget": {rate: 1 << 20, share: 0.1, seconds: 4, load: [2]int{200, 900}},
		"over budget":  {rate: 800, share: 0.1, seconds: 5, load: [2]int{150, 1100}},
		"far over":     {rate: 150, share: 0.3, seconds: 6, load: [2]int{700, 500}},
		"hardly any":   {rate: 1, share: 0.3, seconds: 3, load: [2]int{300, 300}},
		"all and over": {rate: 500, share: 1, seconds: 4, load: [2]int{400, 700}},
		"shared ids":   {rate: 800, share: 0.3, seconds: 4, load: [2]int{400, 900}, twins: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if sigmas, where := tr.off(t, right); sigmas > 4 {
				t.Error("the counts are biased:", where)
			}
		})
	}
}

// Weights that are wrong are found out, also those that are wrong by little.
func TestWrongWeightsAreFound(t *testing.T) {
	over := traffic{rate: 800, share: 0.1, seconds: 5, load: [2]int{150, 1100}}
	for name, c := range map[string]struct {
		traffic
		weights
	}{
		"each once":    {over, each},
		"unknown once": {traffic{share: 0.1, seconds: 4, load: [2]int{200, 900}}, unknown},
		"off by one":   {over, next},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if sigmas, _ := c.off(t, c.weights); sigmas < 6 {
				t.Error("not found")
			}
		})
	}
}
