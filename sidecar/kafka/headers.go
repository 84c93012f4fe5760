package kafka

import (
	"errors"
	"math"
	"time"
)

// ErrBudget says that a Budget ran out before the records did.
var ErrBudget = errors.New("the budget for record headers ran out")

// HeaderReader reads two headers of the records of batches, compressed or not,
// and nothing else of them. It holds decompressors that are used again. Not
// safe for concurrent use.
type HeaderReader struct {
	// MessageID names the header that carries the application's message id;
	// "" reads none.
	MessageID string
	// Contexts says that `traceparent` is read.
	Contexts bool
	// Clock gives nanoseconds that never go back; nil: time is not limited.
	Clock func() int64

	codecs  decompressor
	walk    records
	feed    feed
	gathers gathers
}

// Budget is what reading record headers may yet cost; it is counted down.
// Bytes are those that are decompressed or, uncompressed, looked at: keys and
// values that are passed over cost nothing. Time is checked every few records,
// and so overrun by what decompressing one block takes.
type Budget struct {
	Bytes   int
	Records int
	Time    time.Duration
}

// RecordHeaders is what one record's headers say. It is borrowed.
type RecordHeaders struct {
	Record    int    // its index in the batch
	MessageID []byte // nil: none; at most MaxMessageIDBytes
	Context   TraceContext
}

// RecordHandler is told of the records that have one of the headers, in order.
type RecordHandler interface{ Record(*RecordHeaders) }

// Wanted says that there is anything to be read.
func (r *HeaderReader) Wanted() bool { return r != nil && (r.MessageID != "" || r.Contexts) }

// Read reads the headers of one batch of magic 2: of its header the attributes
// and the number of records, and what follows the header's 61 bytes, whole or
// only the beginning. The error is ErrBudget, also where a block or a window
// is larger than the budget lets it hold, or ErrMalformed, also where records
// are missing; what had been read before stands.
func (r *HeaderReader) Read(b *Budget, attributes int16, records int32, data []byte, to RecordHandler) error {
	if !r.Wanted() || records <= 0 {
		return nil
	}
	codec := attributes & codecMask
	if codec == codecNone {
		return r.readPlain(b, records, data, to)
	}
	defer r.codecs.close()
	watch := stopwatch{clock: r.Clock}
	if !watch.lap(b) {
		return ErrBudget
	}
	if err := r.codecs.open(codec, data); err != nil {
		return err
	}
	r.walk.begin(r, b, records, math.MaxInt32, to)
	r.walk.watch.clock = nil // it is timed here
	r.feed.begin((*onlyRecords)(&r.walk), math.MaxInt32)
	for {
		if b.Bytes <= 0 || r.feed.skip >= b.Bytes {
			return ErrBudget
		}
		chunk, err := r.codecs.next(b.Bytes)
		b.Bytes -= len(chunk)
		r.feed.push(chunk, nil, 0)
		affordable := watch.lap(b)
		switch {
		case r.walk.ended():
			return r.walk.err
		case err != nil:
			return err
		case !affordable:
			return ErrBudget
		}
	}
}

func (r *HeaderReader) readPlain(b *Budget, records int32, data []byte, to RecordHandler) error {
	r.walk.begin(r, b, records, len(data), to)
	r.walk.plain = true
	r.feed.begin((*onlyRecords)(&r.walk), len(data))
	r.feed.push(data, nil, 0)
	if !r.walk.ended() {
		return ErrMalformed
	}
	return r.walk.err
}

// onlyRecords is records as the body of a feed of its own.
type onlyRecords records

func (o *onlyRecords) run(c *cursor) { (*records)(o).run(c) }
func (o *onlyRecords) ended() bool   { return (*records)(o).ended() }
func (o *onlyRecords) giveUp() int   { return 0 }

// stopwatch charges time to a budget.
type stopwatch struct {
	clock   func() int64
	since   int64
	running bool
}

// lap charges the time since the last lap and says whether any is left.
func (s *stopwatch) lap(b *Budget) bool {
	if s.clock == nil {
		return true
	}
	now := s.clock()
	if s.running {
		b.Time -= time.Duration(now - s.since)
	}
	s.since, s.running = now, true
	return b.Time > 0
}

// stop charges the time since the last lap, if there was one.
func (s *stopwatch) stop(b *Budget) {
	if s.running {
		s.lap(b)
		s.running = false
	}
}
