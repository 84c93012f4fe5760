package sample

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/tailspan/tailspan/spans"
)

// parse is the way back, by the words of the specification: extend the digits
// with zeros to 14, read them as a number of 56 bits.
func parse(t testing.TB, state string) (threshold uint64, ok bool) {
	t.Helper()
	if state == "" {
		return 0, false
	}
	digits, ok := strings.CutPrefix(state, "ot=th:")
	if !ok || len(digits) < 1 || len(digits) > 14 || digits != "0" && strings.HasSuffix(digits, "0") {
		t.Fatalf("tracestate %q", state)
	}
	threshold, err := strconv.ParseUint(digits+strings.Repeat("0", 14-len(digits)), 16, 64)
	if err != nil {
		t.Fatalf("tracestate %q: %v", state, err)
	}
	return threshold, true
}

// The specification's table of 1-in-N probabilities with 4 digits of
// precision, and its example of 1 % with 5 digits (which are 4 and an f).
func TestThresholdsOfTheSpecification(t *testing.T) {
	for n, want := range map[float64]string{
		1: "0", 2: "8", 3: "aaab", 4: "c", 5: "cccd", 8: "e", 10: "e666", 16: "f", 100: "fd70a",
		1000: "ffbe77", 10000: "fff9724", 100000: "ffff583a", 1000000: "ffffef39",
	} {
		if got := stateOf(thresholdOf(1 / n)); got != "ot=th:"+want {
			t.Errorf("1 in %v: %s, not %s", n, got, want)
		}
	}
}

func TestThresholdEdges(t *testing.T) {
	for _, c := range []struct {
		p    float64
		want uint64
	}{
		{0, never}, {-1, never}, {math.NaN(), never}, {1, 0}, {1.5, 0},
		{math.Ldexp(1, -56), never - 1}, {math.Ldexp(1, -60), never - 1}, {1 - 1e-9, 0},
	} {
		if got := thresholdOf(c.p); got != c.want {
			t.Errorf("%v: %014x, not %014x", c.p, got, c.want)
		}
	}
	for p := 1.0; p > 1e-12; p *= 0.83 {
		got := float64(never-thresholdOf(p)) / float64(never)
		if got <= 0 || math.Abs(got-p) > 1e-3*p {
			t.Errorf("a share of %g became %g", p, got)
		}
	}
}

func TestStateAndBack(t *testing.T) {
	for _, want := range []uint64{0, 1, 0x10, 1 << 51, 1 << 55, never - 1, never - 16, 0x0a0b0c0d0e0f10} {
		if got, _ := parse(t, stateOf(want)); got != want {
			t.Errorf("%x: %s is %x", want, stateOf(want), got)
		}
	}
	if got := stateOf(1 << 51); got != "ot=th:08" {
		t.Error(got)
	}
}

func TestRandomness(t *testing.T) {
	id := spans.TraceID{0: 1, 8: 0xff, 9: 0x12, 15: 0x34}
	if got := randomness(id); got != 0x12000000000034 {
		t.Errorf("%x", got)
	}
}
