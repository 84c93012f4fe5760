package sample

import "math"

const (
	// maxHeld bounds the candidates that wait for the end of a second, and so
	// the traces that a second may keep, however much the budget allows.
	maxHeld = 1 << 14

	// guess of the spans that keeping a trace costs, before any was kept.
	guess = 8

	// memory is how much of what a trace cost counts a second later.
	memory = 0.8

	// maxDebt is for how many seconds an excess can be felt.
	maxDebt = 10
)

// budget says how many traces a second may keep, by what those of the seconds
// before have cost: their spans, and those of what they had linked to.
type budget struct {
	rate float64 // spans a second; 0: no limit
	debt float64 // what was spent beyond it

	spent, traces float64 // since the second began
	spans, kept   float64 // the same of the seconds before, fading
}

func newBudget(rate int) budget {
	return budget{rate: float64(max(rate, 0)), spans: guess, kept: 1}
}

// turn ends a second, and those after it in which nothing came.
func (b *budget) turn(seconds float64) {
	b.debt = min(max(b.debt+b.spent-b.rate*seconds, 0), maxDebt*b.rate)
	if b.traces > 0 {
		b.spans = b.spans*memory + b.spent
		b.kept = b.kept*memory + b.traces
	}
	b.spent, b.traces = 0, 0
}

// most is how many traces the next second may keep.
func (b *budget) most() int {
	n := (b.rate - b.debt) * b.kept / b.spans
	return int(math.Max(fewest, math.Min(n, maxHeld)))
}
