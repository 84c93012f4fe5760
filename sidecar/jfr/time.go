package jfr

import (
	"math"
	"time"
)

// layouts of java.time.OffsetDateTime.toString; a fraction of the seconds may
// follow them, and seconds that are zero are left out with it.
var layouts = [...]string{"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04Z07:00"}

var epoch, latest = time.Unix(0, 0), time.Unix(0, math.MaxInt64)

// unix is a time in Unix ns, -1 if it is none.
func (d *reader) unix() int64 {
	if !d.s.isString() {
		return -1
	}
	text := string(d.s.text)
	for _, layout := range layouts {
		if t, err := time.Parse(layout, text); err == nil && !t.Before(epoch) && !t.After(latest) {
			return t.UnixNano()
		}
	}
	return -1
}

// duration is a java.time.Duration in ns, -1 if it is none, negative or longer
// than can be.
func (d *reader) duration() int64 {
	if !d.s.isString() {
		return -1
	}
	return parseDuration(d.s.text)
}

// parseDuration reads java.time.Duration.toString: PT, then hours, minutes and
// seconds with a fraction, each there or not (PT1H0.25S).
func parseDuration(text []byte) int64 {
	if len(text) < 4 || string(text[:2]) != "PT" {
		return -1
	}
	var sum int64
	for text = text[2:]; len(text) > 0; {
		n, rest := digits(text)
		fraction := int64(0)
		if len(rest) > 0 && rest[0] == '.' {
			fraction, rest = nanoseconds(rest[1:])
		}
		if n < 0 || fraction < 0 || len(rest) == 0 {
			return -1
		}
		unit := units[rest[0]]
		if unit == 0 || fraction > 0 && unit != time.Second || n > maxDuration/int64(unit) {
			return -1
		}
		if sum += n*int64(unit) + fraction; sum > maxDuration {
			return -1
		}
		text = rest[1:]
	}
	return sum
}

// maxDuration of what is believed: a year.
const maxDuration = int64(365 * 24 * time.Hour)

var units = [256]time.Duration{'H': time.Hour, 'M': time.Minute, 'S': time.Second}

// digits is the number at the begin, -1 if there is none or it is too long.
func digits(text []byte) (n int64, rest []byte) {
	i := 0
	for ; i < len(text) && text[i] >= '0' && text[i] <= '9'; i++ {
		if n = n*10 + int64(text[i]-'0'); n > maxDuration {
			return -1, nil
		}
	}
	if i == 0 {
		return -1, nil
	}
	return n, text[i:]
}

// nanoseconds is a fraction of a second with at most nine digits, -1 if it is
// none.
func nanoseconds(text []byte) (n int64, rest []byte) {
	n, rest = digits(text)
	i := len(text) - len(rest)
	if n < 0 || i > 9 {
		return -1, nil
	}
	for ; i < 9; i++ {
		n *= 10
	}
	return n, rest
}
