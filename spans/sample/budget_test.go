package sample

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// Over a minute the budget holds, whatever traces cost and link to, and most
// of it is used; what is lacked and what was spent beyond are made up for.
func TestBudgetHolds(t *testing.T) {
	for name, cost := range map[string]func(second int, r *rand.Rand) int{
		"even":     func(int, *rand.Rand) int { return 5 },
		"small":    func(int, *rand.Rand) int { return 1 },
		"large":    func(int, *rand.Rand) int { return 60 },
		"any":      func(_ int, r *rand.Rand) int { return 1 + r.IntN(40) },
		"changing": func(s int, _ *rand.Rand) int { return []int{4, 30}[s/10%2] },
	} {
		t.Run(name, func(t *testing.T) {
			const rate, seconds, each = 2000, 60, 2500
			r := rand.New(rand.NewPCG(1, 1))
			var got [seconds + 1]int
			second := 0
			s := New(Options{SLO: always(65 * ms), MaxSpansRate: rate, Slowest: 5, Export: func(tr *spans.Trace) bool {
				got[second] += len(tr.Spans)
				return true
			}})
			var lately [16]spans.TraceID
			for ; second < seconds; second++ {
				for i := range each {
					now := int64(time.Hour) + int64(second)*int64(time.Second) + int64(i)*int64(time.Second)/each
					m := &made{sum: spans.Summary{ID: id(r.Uint64()), Request: true, Latency: time.Duration(1+r.IntN(400)) * ms}, spans: cost(second, r)}
					m.sum.Start, m.sum.Explains = now-int64(m.sum.Latency), r.IntN(2) == 0
					for range r.IntN(3) {
						m.links = append(m.links, lately[r.IntN(len(lately))])
					}
					lately[i%len(lately)] = m.sum.ID
					s.Offer(m)
				}
			}
			sum, worst := 0, 0
			for _, n := range got[10:seconds] {
				sum += n
				worst = max(worst, n)
			}
			mean := float64(sum) / (seconds - 10)
			t.Logf("%.0f spans a second of %d, %d at most", mean, rate, worst)
			if mean > 1.05*rate || mean < 0.7*rate {
				t.Error("not the budget")
			}
		})
	}
}

func TestWhatIsOwedIsBounded(t *testing.T) {
	b := newBudget(100)
	b.spent, b.traces = 1e9, 10
	b.turn(1)
	if b.debt != maxDebt*100 || b.most() != fewest {
		t.Errorf("%+v, %d", b, b.most())
	}
	b.turn(maxDebt)
	b.spent, b.traces = 50, 10
	for range 200 {
		b.spent, b.traces = 50, 10
		b.turn(1)
	}
	if most := b.most(); math.Abs(float64(most)-20) > 1 {
		t.Errorf("%d traces of 5 spans", most)
	}
	b = newBudget(1 << 40)
	if b.most() != maxHeld {
		t.Error(b.most())
	}
}
