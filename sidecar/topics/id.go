package topics

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// ParseID reads Kafka's text form of a topic id: base64url, without padding.
func ParseID(text string) (id [16]byte, err error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return [16]byte{}, fmt.Errorf("parse topic id: %w", err)
	}
	if len(b) != len(id) {
		return [16]byte{}, fmt.Errorf("parse topic id: %d bytes instead of %d", len(b), len(id))
	}
	return [16]byte(b), nil
}

// FormatID writes what ParseID reads.
func FormatID(id [16]byte) string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// maxName is Kafka's own bound (org.apache.kafka.common.internals.Topic).
const maxName = 249

// validName accepts what Kafka accepts: letters, digits, '.', '_', '-'.
func validName(name string) bool {
	if name == "" || name == "." || name == ".." || len(name) > maxName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
