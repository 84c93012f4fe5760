package clients

import (
	"context"
	"fmt"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
)

// Shape is what a raw request is, or a few of them that belong together.
type Shape string

const (
	Plain     Shape = "plain"      // as the options draw it, pipelined
	Duplicate Shape = "duplicate"  // one batch of an idempotent producer, three times
	Identical Shape = "identical"  // the same bytes of a plain producer, five times
	Retried   Shape = "retried"    // given up with its connection, sent again on the next one
	OldFormat Shape = "old-format" // Produce v0 to v2, with message sets; brokers of 4.x refuse them
	Throttled Shape = "throttled"  // over a quota on the client id
	// Unread requests, without acks, lie behind one that the broker refuses: it
	// closes the connection over that, and never reads them.
	Unread Shape = "unread"

	Gap              Shape = "gap"               // a sequence number too far: OUT_OF_ORDER_SEQUENCE_NUMBER
	TooLarge         Shape = "too-large"         // MESSAGE_TOO_LARGE
	UnknownTopic     Shape = "unknown-topic"     // UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID
	UnknownPartition Shape = "unknown-partition" // UNKNOWN_TOPIC_OR_PARTITION
	InvalidAcks      Shape = "invalid-acks"      // INVALID_REQUIRED_ACKS
	TooFewReplicas   Shape = "too-few-replicas"  // NOT_ENOUGH_REPLICAS; needs two brokers, of which one has been stopped
	PartlyRefused    Shape = "partly-refused"    // some partitions written, others not
)

const (
	duplicates   = 3
	identicals   = 5
	unreads      = 50
	overQuota    = 5
	oldVersions  = 3
	giveUpWithin = 2 * time.Millisecond
)

// requestsOf a shape, where it is not one; of Throttled at most.
var requestsOf = map[Shape]int{
	Duplicate: duplicates, Identical: identicals, Retried: 2, OldFormat: oldVersions,
	Throttled: 80, Unread: 1 + unreads, Gap: 2,
}

// send sends a shape and returns how many requests that were.
func (s *sender) send(ctx context.Context, shape Shape) (int, error) {
	c, err := s.connection(ctx)
	if err != nil {
		return 0, err
	}
	one := func(r *request, err error) error {
		if err == nil {
			r.send(s, c, s.o.InFlight)
		}
		return err
	}
	switch shape {
	case Plain:
		err = one(s.plain(Plain))
	case Duplicate:
		err = s.duplicate(c)
	case Identical:
		err = s.identical(c)
	case Gap:
		err = s.gap(c)
	case Retried:
		c.Await(0) // what is idempotent must stay in order
		err = s.retried(ctx)
	case OldFormat:
		err = s.oldFormat(ctx)
	case Throttled:
		return s.throttled(ctx)
	case Unread:
		err = s.unread(ctx)
	default:
		err = one(s.refused(shape))
	}
	return max(requestsOf[shape], 1), err
}

// plain is as the options draw it.
func (s *sender) plain(shape Shape) (*request, error) {
	r := s.drawn(shape)
	codec := s.codec(r.version)
	for _, at := range s.drawPlaces(s.o.Raw.Partitions.of(s.random)) {
		b := s.batchOf(s.o.Raw.Records.of(s.random), s.o.ValueBytes, codec)
		if s.o.Idempotent {
			s.idempotent(b, at)
		}
		if err := r.add(s, at, b); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// single is one batch for one partition.
func (s *sender) single(r *request, at place, b *wire.Batch) (*request, error) {
	return r, r.add(s, at, b)
}

func (s *sender) drawnBatch(version int16) *wire.Batch {
	return s.batchOf(s.o.Raw.Records.of(s.random), s.o.ValueBytes, s.codec(version))
}

// repeated sends a request so many times, pipelined.
func (s *sender) repeated(c *wire.Conn, r *request, times int) {
	for range times {
		r.again().send(s, c, max(s.o.InFlight, times))
	}
}

func (s *sender) duplicate(c *wire.Conn) error {
	r, at := s.drawn(Duplicate), pick(s.random, s.places)
	r.acks = -1
	if err := r.add(s, at, s.idempotent(s.drawnBatch(r.version), at)); err != nil {
		return err
	}
	s.repeated(c, r, duplicates)
	return nil
}

func (s *sender) identical(c *wire.Conn) error {
	r := s.drawn(Identical)
	if err := r.add(s, pick(s.random, s.places), s.drawnBatch(r.version)); err != nil {
		return err
	}
	s.repeated(c, r, identicals)
	return nil
}

// gap: a producer that the partition does not know may begin anywhere, so one
// batch in order comes first.
func (s *sender) gap(c *wire.Conn) error {
	at := pick(s.random, s.places)
	for _, ahead := range []int32{0, 100} {
		r := s.drawn(Gap)
		r.acks = -1
		b := s.drawnBatch(r.version)
		if ahead == 0 {
			s.idempotent(b, at)
		} else {
			b.ProducerID, b.ProducerEpoch, b.Sequence = s.producerID, s.epoch, s.sequence[at]+ahead
		}
		if err := r.add(s, at, b); err != nil {
			return err
		}
		r.send(s, c, s.o.InFlight)
	}
	return nil
}

// retried gives the first try up after a moment, answered or not. Every other
// one is idempotent: the broker then knows what it has.
func (s *sender) retried(ctx context.Context) error {
	r, at := s.drawn(Retried), pick(s.random, s.places)
	r.acks = -1
	b := s.drawnBatch(r.version)
	if s.random.IntN(2) == 0 {
		s.idempotent(b, at)
	}
	if err := r.add(s, at, b); err != nil {
		return err
	}
	first, err := s.dial(ctx, s.o.ClientID)
	if err != nil {
		return err
	}
	r.again().send(s, first, 1)
	if err := sleep(ctx, time.Duration(s.random.Int64N(int64(giveUpWithin)))); err != nil {
		return err
	}
	if err := first.Close(); err != nil {
		return err
	}
	second, err := s.dial(ctx, s.o.ClientID)
	if err != nil {
		return err
	}
	r.again().send(s, second, 1)
	return s.finish(second)
}

// oldFormat opens a connection for each version: a broker that does not know it
// closes the connection.
func (s *sender) oldFormat(ctx context.Context) error {
	for version := range int16(oldVersions) {
		r := &request{shape: OldFormat, version: version, acks: 1}
		if err := r.add(s, pick(s.random, s.places), s.batchOf(2, s.o.ValueBytes, "none")); err != nil {
			return err
		}
		c, err := s.dial(ctx, s.o.ClientID)
		if err != nil {
			return err
		}
		r.send(s, c, 1)
		if err := s.finish(c); err != nil {
			return fmt.Errorf("v%d: %w", version, err)
		}
	}
	return nil
}
