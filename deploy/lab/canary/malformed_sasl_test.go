package canary

import (
	"bytes"
	"fmt"
)

const (
	handshakeKey    = 17
	authenticateKey = 36
)

// malformedSASL are exchanges that go wrong, and tokens where none is due.
func (s *stage) malformedSASL() (all []malformed) {
	add := func(name string, pieces ...[]byte) { all = append(all, malformed{name, pieces}) }
	n := 0
	mark := func() []byte { n++; return s.secret("SASL %d", n).Bytes }
	id := func() string { n++; return s.identity("SASL %d: client id", n) }
	handshake := func(version int16, mechanism string) []byte {
		return frame(head(handshakeKey, version, 1, id()), str(mechanism))
	}
	plain := func() []byte { return bytes.Join([][]byte{nil, mark(), mark()}, []byte{0}) }
	scram := func() []byte { return fmt.Appendf(nil, "n,,n=%s,r=%s", mark(), mark()) }
	authenticate := func(token []byte) []byte {
		return frame(head(authenticateKey, 1, 2, id()), int32s(len(token)), token)
	}
	flexible := func(token []byte) []byte {
		return frame(head(authenticateKey, 2, 2, id()), []byte{0, byte(len(token) + 1)}, token, []byte{0})
	}
	for name, token := range map[string]func() []byte{"PLAIN": plain, "SCRAM": scram, "a mark": mark,
		"GSSAPI": func() []byte { return append([]byte{0x60, 0x40, 6, 9}, mark()...) },
		"like a request": func() []byte {
			return append([]byte{0, 0, 0, 200, 0, 0, 0, 1, 0xff, 0xff}, mark()...)
		}} {
		add("a token at once, "+name, frame(token()), frame(token()))
		add("a raw token, "+name, handshake(0, "PLAIN"), frame(token()), frame(token()))
		add("a raw token with its handshake, "+name, append(handshake(0, "PLAIN"), frame(token())...))
		add("a raw token in pieces, "+name, append([][]byte{handshake(0, "SCRAM-SHA-512")}, singles(frame(token()))...)...)
		add("a raw token cut short, "+name, handshake(0, "PLAIN"), frame(token())[:20])
		add("a raw token, its length too great, "+name, handshake(0, "PLAIN"), append(int32s(300), token()...))
		add("the wrong mechanism's, "+name, handshake(1, "SCRAM-SHA-512"), authenticate(token()), flexible(token()))
		add("no handshake, "+name, authenticate(token()), flexible(token()))
		add("a length too great, "+name, handshake(1, "PLAIN"), frame(head(authenticateKey, 1, 2, id()), int32s(3000), token()))
		add("a length too small, "+name, handshake(1, "PLAIN"), frame(head(authenticateKey, 1, 2, id()), int32s(3), token()))
		add("a frame too short, "+name, handshake(1, "PLAIN"), append(frame(head(authenticateKey, 1, 2, id()), int32s(3)), token()...))
		add("a version of tomorrow, "+name, handshake(1, "PLAIN"), frame(head(authenticateKey, 5, 2, id()), token()))
	}
	add("a mechanism that is none", handshake(1, string(mark())))
	add("a mechanism too long", handshake(1, string(bytes.Repeat(mark(), 100))))
	return all
}

// foreign is what is no Kafka.
func (s *stage) foreign() []malformed {
	mark := func(name string) []byte { return s.secret("foreign: %s", name).Bytes }
	return []malformed{
		{"HTTP", [][]byte{fmt.Appendf(nil, "GET /%s?q=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nCookie: %s\r\n\r\n",
			mark("path"), mark("query"), mark("host"), mark("authorization"), mark("cookie"))}},
		{"a form", [][]byte{fmt.Appendf(nil, "POST / HTTP/1.1\r\n\r\npassword=%s", mark("form"))}},
		{"text", [][]byte{append(mark("text"), '\n'), mark("more text")}},
		{"Redis", [][]byte{fmt.Appendf(nil, "*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n", markLength, mark("Redis"))}},
		{"TLS", [][]byte{append([]byte{0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3}, bytes.Repeat(mark("TLS"), 20)...)}},
		{"a token only", [][]byte{frame(mark("frame"))}},
	}
}
