package page

import "math"

// Confidence of the intervals: in so many of a hundred recordings of the same
// thing they would hold the true value, if requests were slow independently of one
// another. They are not: one stall makes many slow at once, so the intervals are
// too narrow, and rounds say more.
const Confidence = 0.95

// z is the quantile of the normal distribution that goes with Confidence.
const z = 1.959963984540054

// wilson is the score interval of a share: k of n (Wilson 1927). It is never
// outside of 0 to 1, and says something where k is 0.
func wilson(k, n uint64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	p, m := float64(k)/float64(n), float64(n)
	middle := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	low, high = max(0, middle-half), min(1, middle+half)
	if k == 0 {
		low = 0
	}
	if k == n {
		high = 1
	}
	return low, high
}

// ranks are those of the order statistics between which a quantile lies with the
// confidence, whatever the distribution: the number of values below it is
// binomial. 0 and n+1 stand for no bound: there are too few values for one.
func ranks(n uint64, thousandths uint64) (low, high uint64) {
	if n == 0 {
		return 0, 1
	}
	const tail = (1 - Confidence) / 2
	p := float64(thousandths) / 1000
	// Of the binomial only what is within twelve deviations of its mean counts.
	mean, deviation := float64(n)*p, math.Sqrt(float64(n)*p*(1-p))
	from := uint64(max(0, math.Floor(mean-12*deviation-12)))
	to := uint64(min(float64(n), math.Ceil(mean+12*deviation+12)))
	below := 0.0 // P(B < k)
	low, high = from, to+1
	found := false
	for k := from; k <= to; k++ {
		if below <= tail {
			low = k // P(B < low) <= tail: the low-th value is below the quantile often enough
		}
		if !found && below >= 1-tail {
			high, found = k, true
		}
		below += binomial(n, k, p)
	}
	if !found {
		high = to + 1
		if below < 1-tail {
			high = n + 1
		}
	}
	return low, min(high, n+1)
}

// binomial is the probability of k of n.
func binomial(n, k uint64, p float64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}
