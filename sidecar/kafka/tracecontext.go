package kafka

// TraceContext is what a W3C `traceparent` says; the zero value is none.
type TraceContext struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte // of those that are defined: 1 sampled, 2 random trace id
}

const (
	traceparent = "traceparent"
	// traceparentSize is the length of version 00:
	// 00-<32 digits>-<16 digits>-<2 digits>.
	traceparentSize = 2 + 1 + 32 + 1 + 16 + 1 + 2
	// maxTraceparent bounds what a later version may append.
	maxTraceparent = 256
	knownFlags     = Sampled | 2
)

// Sampled is the flag of a context whose trace its maker keeps.
const Sampled = 1

// ParseTraceparent reads a header's value
// (https://www.w3.org/TR/trace-context/#traceparent-header): digits in lower
// case, no id all zero, version 00 of exactly 55 characters. Of a later
// version the same 55 are read, and what follows them begins with a dash;
// version ff is invalid.
func ParseTraceparent(b []byte) (c TraceContext, ok bool) {
	if len(b) < traceparentSize || b[2] != '-' || b[35] != '-' || b[52] != '-' {
		return c, false
	}
	var version, flags [1]byte
	ok = fromHex(version[:], b[0:2]) && fromHex(c.TraceID[:], b[3:35]) &&
		fromHex(c.SpanID[:], b[36:52]) && fromHex(flags[:], b[53:55])
	if !ok || c.TraceID == [16]byte{} || c.SpanID == [8]byte{} || version[0] == 0xff {
		return TraceContext{}, false
	}
	if len(b) > traceparentSize && (version[0] == 0 || b[traceparentSize] != '-') {
		return TraceContext{}, false
	}
	c.Flags = flags[0] & knownFlags
	return c, true
}

// fromHex fills dst from twice as many digits. Unlike encoding/hex it takes
// none in upper case.
func fromHex(dst, src []byte) bool {
	var bad byte
	for i := range dst {
		hi, lo := digits[src[2*i]], digits[src[2*i+1]]
		bad |= hi | lo
		dst[i] = hi<<4 | lo
	}
	return bad < 16
}

// digits is the value of each digit, 0xff of what is none.
var digits = func() (d [256]byte) {
	for i := range d {
		d[i] = 0xff
	}
	for i, c := range "0123456789abcdef" {
		d[c] = byte(i)
	}
	return d
}()
