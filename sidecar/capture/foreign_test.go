package capture

import (
	"strings"
	"testing"
)

// The hint on TLS says what is traced instead, as doctor does.
func TestGuess(t *testing.T) {
	for first, want := range map[string][2]string{
		"\x16\x03\x01\x02": {"TLS", "begin at the append"},
		"\x17\x03\x03\x02": {"TLS", "tailspan doctor"},
		"GET / HTTP/1.1":   {"HTTP", "--port"},
		"\x16\x02\x01\x02": {"unknown", "Kafka listener"},
		"":                 {"unknown", "Kafka listener"},
	} {
		if what, hint := guess([]byte(first)); what != want[0] || !strings.Contains(hint, want[1]) {
			t.Errorf("%q looks like %s: %s", first, what, hint)
		}
	}
}
