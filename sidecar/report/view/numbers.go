package view

import (
	"strconv"
	"strings"
	"time"
)

// figure is a rate, with a tenth where it is small.
func figure(x float64) string {
	if x >= 100 || x == 0 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'f', 1, 64)
}

// percent is a share; what is not zero is not shown as zero.
func percent(n, of uint64) string {
	x := 100 * float64(n) / float64(of)
	switch {
	case n > 0 && x < 0.01:
		return "<0.01%"
	case n > 0 && x < 1:
		return strconv.FormatFloat(x, 'f', 2, 64) + "%"
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + "%"
}

// brief is a duration as it was given: 65ms, 1s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}

func itoa[T int | int32 | uint32](n T) string { return strconv.FormatInt(int64(n), 10) }
