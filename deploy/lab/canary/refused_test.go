package canary

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// refused are clients that the broker sends away, some with an error text.
func (s *stage) refused(t *testing.T) {
	t.Helper()
	wrong := s.people.scram[0]
	wrong.Password = s.secret("wrong SCRAM password").Text()
	for name, x := range map[string]struct {
		m   kafka.Mechanism
		who kafka.Login
	}{
		"stranger by PLAIN": {kafka.Plain, s.people.stranger}, "stranger by SCRAM": {kafka.SCRAMSHA512, s.people.stranger},
		"wrong password": {kafka.SCRAMSHA512, wrong}, "SCRAM's user by PLAIN": {kafka.Plain, s.people.scram[0]},
	} {
		c := s.dial(t, name, kafka.SASLPlaintext, x.m, x.who)
		if err := s.try(t, c, s.record(name, 0)); err == nil {
			t.Errorf("%s was let in", name)
		}
		s.hangUp(t, c)
	}
	// With an error's text, and one for a record, in the response.
	c := s.dial(t, "without a key", kafka.Plaintext, "", kafka.Login{}, kgo.DefaultProduceTopic(compacted))
	keyless := s.record("keyless", 0)
	keyless.Topic, keyless.Key = compacted, nil
	if err := s.try(t, c, keyless); err == nil {
		t.Error("a record without a key was taken")
	}
	s.hangUp(t, c)
	c = s.dial(t, "unknown topic", kafka.Plaintext, "", kafka.Login{}, kgo.UnknownTopicRetries(0))
	unknown := s.record("unknown topic", 0)
	unknown.Topic = s.note(topic, New("topic that was only asked for")).Text()
	if err := s.try(t, c, unknown); err == nil {
		t.Error("an unknown topic was known")
	}
	s.hangUp(t, c)
}

// try produces one record, not for long.
func (s *stage) try(t *testing.T, c *client, r *kgo.Record) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	return c.ProduceSync(ctx, r).FirstErr()
}
