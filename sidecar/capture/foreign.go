package capture

import "bytes"

// foreign gives up a connection that does not speak Kafka in the clear, and
// says so once a listener.
func (d *Decoder) foreign(c *conn, first []byte) {
	d.notKafka++
	c.in.sync, c.out.sync = foreign, foreign
	d.dropRequest(c)
	d.dropAnswers(c, reasonEvicted)
	if d.told[c.key.broker] || len(d.told) >= maxTold {
		return
	}
	d.told[c.key.broker] = true
	what, hint := guess(first)
	d.o.Logger.Warn("a listener does not speak Kafka in the clear; its connections are ignored",
		"listener", c.broker, "client", c.client, "looks_like", what, "hint", hint)
}

// guess names what the first bytes of a stream look like.
func guess(b []byte) (what, hint string) {
	if isTLS(b) {
		return "TLS", "encrypted requests cannot be read: where the broker's configuration says SSL or SASL_SSL, traces begin at the append instead (tailspan doctor says what is lost)"
	}
	for _, verb := range []string{"GET ", "POST", "PUT ", "HEAD", "OPTI"} {
		if bytes.HasPrefix(b, []byte(verb)) {
			return "HTTP", "this is no Kafka port: correct the listeners or --port"
		}
	}
	return "unknown", "check that this port is a Kafka listener"
}

// isTLS says whether b begins as a TLS record does.
func isTLS(b []byte) bool {
	return len(b) >= 3 && b[0] >= 0x14 && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4
}

// looksTLS counts the segments of a half without boundaries that begin as TLS
// records do, and gives up after a few in a row.
func (d *Decoder) looksTLS(h *half, b []byte) bool {
	if h.conn.in.named || !isTLS(b) {
		h.tls = 0
		return false
	}
	if h.tls++; h.tls >= tlsSegments {
		d.foreign(h.conn, b)
	}
	return true
}
