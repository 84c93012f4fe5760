package report

import (
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
)

const (
	clockFormat = "15:04:05.000000"
	clockWidth  = len(clockFormat)
)

// appendDuration writes a duration with four digits at most, in the unit that
// suits it: 563.2ms, 84.3µs, 1.204s.
func appendDuration(b []byte, ns int64) []byte {
	if ns < 0 {
		b, ns = append(b, '-'), -ns
	}
	switch {
	case ns < 1_000:
		return append(strconv.AppendInt(b, ns, 10), "ns"...)
	case ns < 999_950:
		return append(appendTenths(b, ns, 1_000), "µs"...)
	case ns < 999_950_000:
		return append(appendTenths(b, ns, 1_000_000), "ms"...)
	}
	return append(strconv.AppendFloat(b, float64(ns)/1e9, 'f', 3, 64), 's')
}

// appendTenths writes n in units, rounded to a tenth.
func appendTenths(b []byte, n, unit int64) []byte {
	tenths := (n*10 + unit/2) / unit
	b = append(strconv.AppendInt(b, tenths/10, 10), '.')
	return append(b, byte('0'+tenths%10))
}

func duration(ns int64) string { return string(appendDuration(nil, ns)) }

// Clock says how long something has been going on: 7s, 3m12s, 2h05m.
func Clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return itoa(s) + "s"
	case s < 3600:
		return itoa(s/60) + "m" + two(s%60) + "s"
	}
	return itoa(s/3600) + "h" + two(s/60%60) + "m"
}

func two(n int64) string { return itoa(n/10) + itoa(n%10) }

// size writes a number of bytes the way people say it.
func size(n int64) string {
	switch {
	case n < 10_000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 10_000_000:
		return string(appendTenths(nil, n, 1_000)) + " kB"
	}
	return string(appendTenths(nil, n, 1_000_000)) + " MB"
}

// appendClean writes text from the wire so that it cannot steer a terminal:
// what is not printable is escaped, and so is the backslash.
func appendClean(b []byte, s string) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case r == utf8.RuneError && n == 1, r < ' ', r == 0x7f:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'x', hex[s[0]>>4], hex[s[0]&15])
		case r == ' ' || unicode.IsGraphic(r) && !unicode.IsSpace(r):
			b = append(b, s[:n]...)
		default:
			b = append(strconv.AppendInt(append(b, `\u{`...), int64(r), 16), '}')
		}
		s = s[n:]
	}
	return b
}

// appendASCII escapes what ASCII does not have.
func appendASCII(b, text []byte) []byte {
	for _, r := range string(text) {
		if r < utf8.RuneSelf {
			b = append(b, byte(r))
			continue
		}
		b = append(strconv.AppendInt(append(b, `\u{`...), int64(r), 16), '}')
	}
	return b
}

func clean(s string) string {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '\\' {
			return string(appendClean(nil, s))
		}
	}
	return s
}
