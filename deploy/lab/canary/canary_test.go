package canary

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// TestCanary: whatever clients send to a broker, nothing of a record, of a
// credential or of malformed input leaves Tailspan, but what was asked for, and
// that where it belongs.
func TestCanary(t *testing.T) {
	s := set(t)
	o := &outputs{}
	lives := []*live{s.watch(t, "plain", "requests", false), s.watch(t, "asked", "traces", true, "--log-format", "text")}
	pcap := s.capture(t)
	s.converse(t)
	settle()
	for _, l := range lives {
		s.fetch(t, o, l)
	}
	pcap.end(t)
	for _, l := range lives {
		l.end(t, o)
	}
	s.examine(t, o)
	s.replayAll(t, o, lives, pcap)
	s.controls(t, o.all)
	searchAll(t, s.ledger, o.all)
}

// converse has all kinds of clients talk to the broker.
func (s *stage) converse(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.java(t, 1, kafka.Plain, s.people.plain[1])
		s.java(t, 2, kafka.SCRAMSHA512, s.people.scram[1])
	}()
	for _, part := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"produce", s.produceAll}, {"transactions and no acks", s.transact}, {"consume", s.consume}, {"refused", s.refused},
		{"malformed", s.sendMalformed}, {"answers", s.askFake}, {"Java", func(*testing.T) { <-done }},
	} {
		begin := time.Now()
		part.do(t)
		t.Logf("%s: %s", part.name, time.Since(begin).Round(time.Millisecond))
	}
}
