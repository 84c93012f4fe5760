package sample

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/tailspan/tailspan/spans"
)

const (
	// never is the threshold that no trace reaches: randomness has 56 bits.
	never = uint64(1) << 56

	// precision of a share's threshold, in hex digits behind its leading f's, as
	// OpenTelemetry recommends. The share is then that of the threshold.
	precision = 4

	// certain is the tracestate of what was kept with probability 1.
	certain = "ot=th:0"
)

// randomness is what a trace's id says for itself: its last 56 bits.
func randomness(id spans.TraceID) uint64 {
	return binary.BigEndian.Uint64(id[8:]) & (never - 1)
}

// thresholdOf is the T for which randomness >= T has about this probability.
func thresholdOf(p float64) uint64 {
	switch {
	case !(p > 0): // NaN, too
		return never
	case p >= 1:
		return 0
	}
	_, exp := math.Frexp(p)
	digits := min(precision-exp/4, 14)
	t := never - uint64(math.Round(math.Ldexp(p, 56)))
	unit := uint64(1) << (4 * (14 - digits))
	return min((t+unit/2)/unit*unit, never-unit)
}

// stateOf is the tracestate of a trace that was kept because its randomness is
// not below t: 14 hex digits without the last zeros.
func stateOf(t uint64) string {
	if t == 0 {
		return certain
	}
	return "ot=th:" + strings.TrimRight(fmt.Sprintf("%014x", t), "0")
}
