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
	step := timer(t)
	s := set(t)
	step("set")
	o := &outputs{}
	lives := []*live{s.watch(t, "plain", "requests", false), s.watch(t, "asked", "traces", true, "--log-format", "text")}
	pcap := s.capture(t)
	step("watch")
	s.converse(t)
	settle()
	step("converse")
	for _, l := range lives {
		s.fetch(t, o, l)
	}
	pcap.end(t)
	for _, l := range lives {
		l.end(t, o)
	}
	step("end")
	s.examine(t, o)
	s.replayAll(t, o, lives, pcap)
	s.reportAll(t, o, lives)
	step("examine and replay")
	s.lose(t, o, pcap)
	step("lose")
	c := newChecker(s.ledger)
	c.controls(t, o.all)
	c.all(t, o.all)
	step("search")
}

// timer says how long each step took.
func timer(t *testing.T) func(step string) {
	last := time.Now()
	return func(step string) {
		t.Logf("%s: %s", step, time.Since(last).Round(time.Millisecond))
		last = time.Now()
	}
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
	step := timer(t)
	for _, part := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"produce", s.produceAll}, {"transactions and no acks", s.transact}, {"nested", s.produceNested}, {"consume", s.consume}, {"refused", s.refused},
		{"malformed", s.sendMalformed}, {"answers", s.askFake}, {"Java", func(*testing.T) { <-done }},
	} {
		part.do(t)
		step(part.name)
	}
}
