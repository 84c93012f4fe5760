package flood

import (
	"math"
	"strconv"
	"strings"
)

// Estimate is how many there were of what arrived, by the probabilities with which
// it was kept (https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/).
type Estimate struct {
	Kept     int
	Unknown  int     // of them, those that do not say with what probability
	Of       float64 // the sum of 1/p, of the others
	Variance float64 // of that, as estimated from the same: the sum of (1-p)/p²
}

// add counts one.
func (e *Estimate) add(state string) {
	e.Kept++
	p, ok := probability(state)
	if !ok {
		e.Unknown++
		return
	}
	e.Of += 1 / p
	e.Variance += (1 - p) / (p * p)
}

func (e Estimate) plus(f Estimate) Estimate {
	return Estimate{e.Kept + f.Kept, e.Unknown + f.Unknown, e.Of + f.Of, e.Variance + f.Variance}
}

// Deviation is the estimate's standard deviation.
func (e Estimate) Deviation() float64 { return math.Sqrt(e.Variance) }

// thDigits are the hexadecimal digits of a threshold; trailing zeros are left out.
const thDigits = 14

// probability reads the `th` of a tracestate; ok is false where there is none.
func probability(state string) (p float64, ok bool) {
	for member := range strings.SplitSeq(state, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(member), "=")
		if key != "ot" {
			continue
		}
		for field := range strings.SplitSeq(value, ";") {
			if th, found := strings.CutPrefix(field, "th:"); found {
				return ofThreshold(th)
			}
		}
	}
	return 0, false
}

func ofThreshold(th string) (p float64, ok bool) {
	if th == "" || len(th) > thDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(th+strings.Repeat("0", thDigits-len(th)), 16, 64)
	if err != nil {
		return 0, false
	}
	return 1 - float64(n)/(1<<56), true
}
