package clients

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/deploy/lab/clients/wire"
)

// RawOptions are what raw requests are drawn from, by the seed.
type RawOptions struct {
	Shapes     []Shape  // none: Plain
	Versions   []int16  // of Produce; none: 3 to 13. Only what the broker knows is drawn
	Acks       []int16  // none: those of Options
	Codecs     []string // none: that of Options
	Partitions Range    // of a request, over all topics; none: 1
	Records    Range    // of a batch; none: 1
}

// readWithin is how long the broker may take to read what is before the end of
// a connection.
const readWithin = 30 * time.Second

// sender sends raw requests over one connection that it opens again when the
// broker has closed it. It belongs to one goroutine.
type sender struct {
	o        *Options
	log      *log
	random   *rand.Rand
	admin    *kgo.Client
	conn     *wire.Conn
	topicIDs map[string][16]byte
	places   []place // all partitions of all topics
	versions []int16
	records  int64 // sent so far: numbers the message ids

	producerID int64
	epoch      int16
	sequence   map[place]int32 // the next one
}

type place struct {
	topic     string
	partition int32
}

func raw(ctx context.Context, o *Options) (err error) {
	l, err := newLog(o.File())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	admin, err := kgo.NewClient(kgo.SeedBrokers(o.Address))
	if err != nil {
		return err
	}
	defer admin.Close()
	s := &sender{o: o, log: l, random: o.draw(), admin: admin, topicIDs: map[string][16]byte{}, sequence: map[place]int32{}}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	shapes := o.Raw.Shapes
	if len(shapes) == 0 {
		shapes = []Shape{Plain}
	}
	for p := newPace(o); p.next(ctx); {
		shape := pick(s.random, shapes)
		if o.Count > 0 && p.n-1+requestsOf[shape] > o.Count {
			shape = Plain
		}
		n, err := s.send(ctx, shape)
		if err != nil {
			return fmt.Errorf("%s: %w", shape, err)
		}
		p.n += n - 1
	}
	return s.finish(s.conn)
}

// prepare learns what requests need: topic ids, versions, a producer id.
func (s *sender) prepare(ctx context.Context) (err error) {
	for _, t := range s.o.Topics {
		for n := range max(t.Partitions, 1) {
			s.places = append(s.places, place{t.Name, n})
		}
	}
	if len(s.places) == 0 {
		return errors.New("no topic")
	}
	refusing := refusingTopics(s.o)
	if err := MakeTopics(ctx, s.o.Address, refusing); err != nil {
		return err
	}
	for _, t := range append(refusing, s.o.Topics...) {
		if s.topicIDs[t.Name], err = topicID(ctx, s.admin, t.Name); err != nil {
			return err
		}
	}
	if s.versions, err = s.known(ctx); err != nil {
		return err
	}
	s.producerID, s.epoch, err = newProducerID(ctx, s.admin)
	return err
}

// known are the versions of Produce that are asked for and that the broker has.
func (s *sender) known(ctx context.Context) ([]int16, error) {
	resp, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, s.admin)
	if err != nil {
		return nil, fmt.Errorf("api versions: %w", err)
	}
	wanted := s.o.Raw.Versions
	if len(wanted) == 0 {
		wanted = []int16{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}
	}
	var known []int16
	for _, k := range resp.ApiKeys {
		for _, v := range wanted {
			if k.ApiKey == int16(kmsg.Produce) && v <= k.MaxVersion {
				known = append(known, v)
			}
		}
	}
	if len(known) == 0 {
		return nil, fmt.Errorf("api versions: the broker has none of Produce %v", wanted)
	}
	return known, nil
}

// connection is the sender's own, opened again if the broker has closed it.
func (s *sender) connection(ctx context.Context) (*wire.Conn, error) {
	if s.conn != nil {
		select {
		case <-s.conn.Ended():
			s.conn.Close()
		default:
			return s.conn, nil
		}
	}
	var err error
	s.conn, err = s.dial(ctx, s.o.ClientID)
	return s.conn, err
}

func (s *sender) dial(ctx context.Context, clientID string) (*wire.Conn, error) {
	c, err := wire.Dial(ctx, s.o.Address, clientID)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { c.Close() })
	return c, nil
}

// finish waits until the broker has read and answered what it will, and closes.
func (s *sender) finish(c *wire.Conn) error {
	if c == nil {
		return nil
	}
	c.Await(0)
	_ = c.CloseWrite() // the broker may have closed it
	select {
	case <-c.Ended():
		_ = c.Close()
		return nil
	case <-time.After(readWithin):
		_ = c.Close()
		return errors.New("the broker does not end the connection")
	}
}

func pick[T any](random *rand.Rand, of []T) T { return of[random.IntN(len(of))] }
