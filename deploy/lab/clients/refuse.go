package clients

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	smallMessage = 1000 // bytes that the topic for TooLarge takes
	invalidAcks  = 2
)

// quota is what a Throttled client may send in a second, in bytes. Kafka measures
// over ten seconds, so that ten times as much goes out before it throttles, and
// throttles then by how much it is too much already.
const quota = 50_000

// quotaKnown is how long a broker is given to learn of a quota.
const quotaKnown = 300 * time.Millisecond

func smallTopic(o *Options) string   { return o.ClientID + "-small" }
func twoTopic(o *Options) string     { return o.ClientID + "-two-replicas" }
func missingTopic(o *Options) string { return o.ClientID + "-missing" }

// refusingTopics are those that the shapes need to be refused.
func refusingTopics(o *Options) []Topic {
	var topics []Topic
	if wants(o, TooLarge, PartlyRefused) {
		topics = append(topics, Topic{Name: smallTopic(o), Config: map[string]string{"max.message.bytes": fmt.Sprint(smallMessage)}})
	}
	if wants(o, TooFewReplicas) {
		topics = append(topics, replicated(o))
	}
	return topics
}

func replicated(o *Options) Topic {
	return Topic{Name: twoTopic(o), Replicas: 2, Config: map[string]string{"min.insync.replicas": "2"}}
}

func wants(o *Options, shapes ...Shape) bool {
	return slices.ContainsFunc(shapes, func(s Shape) bool { return slices.Contains(o.Raw.Shapes, s) })
}

// refused is a request that the broker writes nothing of, or not all. It waits
// for the answer: one without acks would close the connection.
func (s *sender) refused(shape Shape) (*request, error) {
	r, at := s.drawn(shape), pick(s.random, s.places)
	if r.acks == 0 {
		r.acks = 1
	}
	b := s.drawnBatch(r.version)
	switch shape {
	case TooLarge:
		at = place{smallTopic(s.o), 0}
		b = s.batchOf(1, Range{2 * smallMessage, 4 * smallMessage}, "none")
	case UnknownTopic:
		at = place{missingTopic(s.o), 0}
	case UnknownPartition:
		at.partition = missingPartition
	case InvalidAcks:
		r.acks = invalidAcks
	case TooFewReplicas:
		at, r.acks = place{twoTopic(s.o), 0}, -1
	case PartlyRefused:
		return s.partlyRefused(r)
	default:
		return nil, fmt.Errorf("no shape %q", shape)
	}
	return s.single(r, at, b)
}

const missingPartition = 9999

func (s *sender) partlyRefused(r *request) (*request, error) {
	good := s.drawPlaces(2)
	for _, at := range append(good, place{good[len(good)-1].topic, missingPartition}) {
		if err := r.add(s, at, s.drawnBatch(r.version)); err != nil {
			return nil, err
		}
	}
	return s.single(r, place{smallTopic(s.o), 0}, s.batchOf(1, Range{2 * smallMessage, 4 * smallMessage}, "none"))
}

// unread sends them all at once on a connection of their own, the one to be
// refused among the first.
func (s *sender) unread(ctx context.Context) error {
	c, err := s.dial(ctx, s.o.ClientID)
	if err != nil {
		return err
	}
	c.Cork()
	bad := s.random.IntN(unreads / 5)
	for n := range 1 + unreads {
		r, at := s.drawn(Unread), pick(s.random, s.places)
		r.acks = 0
		if n == bad {
			at = place{missingTopic(s.o), 0}
		}
		if err := r.add(s, at, s.drawnBatch(r.version)); err != nil {
			return err
		}
		r.send(s, c, s.o.InFlight)
	}
	if err := c.Uncork(); err != nil {
		return err
	}
	return s.finish(c)
}

// throttled sends until the broker throttles, then goes on, pipelined. It returns
// how many requests that took.
func (s *sender) throttled(ctx context.Context) (int, error) {
	id := s.o.ClientID + "-throttled"
	if err := Throttle(ctx, s.o.Address, id, quota); err != nil {
		return 0, err
	}
	if err := sleep(ctx, quotaKnown); err != nil {
		return 0, err
	}
	c, err := s.dial(ctx, id)
	if err != nil {
		return 0, err
	}
	n, throttled := 0, false
	for left := requestsOf[Throttled]; left > 0; left-- {
		r, size := s.drawn(Throttled), quota/5
		r.acks = 1
		if throttled {
			size = quota / 50
		}
		if _, err := s.single(r, pick(s.random, s.places), s.batchOf(1, Range{size, size}, "none")); err != nil {
			return n, err
		}
		r.sent[0].ClientID = id
		r.send(s, c, s.o.InFlight)
		n++
		if !throttled {
			c.Await(0)
			if throttled = r.sent[0].ThrottleMS > 0; throttled {
				left = overQuota + 1
			}
		}
	}
	return n, s.finish(c)
}
