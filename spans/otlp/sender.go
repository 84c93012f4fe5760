package otlp

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
	flushRetry = 500 * time.Millisecond // while shutting down
	maxRequest = 64 << 20               // bytes, before compression: OpenTelemetry's default
	maxDelay   = 30 * time.Second       // the longest that a collector may ask for
)

// sender moves batches from the queue to the collector, one at a time. It
// belongs to one goroutine.
type sender struct {
	queue   *queue
	disk    *disk // nil: none
	client  client
	secrets Secrets
	encoder *encoder
	health  health
	answers bool // the collector has answered at least once
	buf     []*spans.Trace
	size    int // of the last request
}

func newSender(q *queue, d *disk, c client, set settings, o Options) *sender {
	return &sender{
		queue:   q,
		disk:    d,
		client:  c,
		secrets: set.secrets,
		encoder: newEncoder(o.Version),
		health:  health{log: o.Logger, endpoint: set.endpoint, limit: o.QueueSpans},
	}
}

// run sends until ctx ends, or until stop is closed and nothing is left that
// the collector takes.
func (s *sender) run(ctx context.Context, stop <-chan struct{}) {
	for {
		b := s.next(ctx, stop)
		if b.len() == 0 || !s.deliver(ctx, stop, b) {
			return
		}
		clear(b.fresh)
	}
}

// next waits for a batch; what is on disk is older. None: it is time to end.
func (s *sender) next(ctx context.Context, stop <-chan struct{}) batch {
	for ctx.Err() == nil {
		if s.disk != nil {
			if b := s.disk.next(); len(b) > 0 {
				return batch{stored: b}
			}
		}
		waiting, stopping := s.queue.waits(), closed(stop)
		switch {
		case waiting == 0 && stopping:
			return batch{}
		case waiting == 0:
			s.idle(ctx, stop)
			continue
		case waiting < batchSpans && !stopping:
			s.gather(ctx, stop)
		}
		s.buf = s.queue.take(s.buf[:0])
		if len(s.buf) > 0 {
			return batch{fresh: s.buf}
		}
	}
	return batch{}
}

// idle waits for something to send; not for long if there is something on
// disk, which then could not be read.
func (s *sender) idle(ctx context.Context, stop <-chan struct{}) {
	var again <-chan time.Time
	if s.queue.stats().Disk.Queued != (Count{}) {
		again = time.After(diskRetry)
	}
	wait(ctx, stop, s.queue.ready, again)
}

// gather waits until a batch is full, but not longer than batchDelay.
func (s *sender) gather(ctx context.Context, stop <-chan struct{}) {
	timer := time.NewTimer(batchDelay)
	defer timer.Stop()
	for s.queue.waits() < batchSpans {
		if !wait(ctx, stop, s.queue.ready, timer.C) {
			return
		}
	}
}

// deliver sends a batch, in pieces if it must be, however long that takes.
// false: given up; what was not sent is back where it came from.
func (s *sender) deliver(ctx context.Context, stop <-chan struct{}, b batch) bool {
	for pieces := []batch{b}; len(pieces) > 0; {
		switch s.send(ctx, stop, pieces[0]) {
		case accepted:
			pieces = pieces[1:]
		case tooLarge:
			first, second := pieces[0].halves()
			pieces = append([]batch{first, second}, pieces[1:]...)
		default:
			for _, p := range slices.Backward(pieces) {
				s.queue.giveBack(p.fresh)
			}
			return false
		}
	}
	return true
}

// send sends a piece until it is settled (accepted), found to be too large, or
// given up (retry).
func (s *sender) send(ctx context.Context, stop <-chan struct{}, b batch) verdict {
	unsure := false
	// New memory each time: of a request that failed, the client may not have
	// done with it.
	request := b.request(make([]byte, 0, s.size+s.size/8), s.encoder)
	s.size = min(len(request), segmentBytes)
	for delay := firstRetry; ; delay = min(2*delay, lastRetry) {
		r := s.attempt(ctx, b, request)
		if r.unsure && !unsure {
			unsure = true
			s.queue.doubt(b.count())
		}
		switch {
		case r.verdict == accepted:
			s.settle(b, r.rejected)
			return accepted
		case r.verdict == tooLarge:
			return tooLarge
		case r.verdict == refused:
			s.settle(b, int(b.count().Spans))
			return accepted
		case closed(stop) && s.enough():
			return retry
		}
		if !s.pause(ctx, stop, max(delay, min(r.delay, maxDelay))) {
			return retry
		}
	}
}

// enough says whether a failure at the end is the last: where there never was
// a collector, or another process will go on with what is on disk.
func (s *sender) enough() bool { return !s.answers || s.disk != nil }

func (s *sender) settle(b batch, rejected int) {
	s.queue.settle(b, rejected)
	if b.stored != nil {
		s.disk.done(b)
	}
}

// attempt sends a batch once and takes note of what came of it.
func (s *sender) attempt(ctx context.Context, b batch, request []byte) result {
	r := result{verdict: tooLarge, err: errTooLarge}
	if len(request) <= maxRequest {
		r = s.secrets.hide(s.client.upload(ctx, request))
	}
	s.queue.attempted(r.err)
	if r.verdict == tooLarge && b.len() == 1 {
		r.verdict = refused
	}
	if ctx.Err() != nil {
		return r // ended by ourselves: it says nothing of the collector
	}
	s.answers = s.answers || r.verdict != retry
	s.health.note(r, s.queue.stats())
	return r
}

// pause waits between two attempts; shorter while shutting down.
func (s *sender) pause(ctx context.Context, stop <-chan struct{}, d time.Duration) bool {
	if closed(stop) {
		stop, d = nil, min(d, flushRetry)
	}
	timer := time.NewTimer(d - time.Duration(rand.Int64N(int64(d/5))))
	defer timer.Stop()
	wait(ctx, stop, nil, timer.C)
	return ctx.Err() == nil
}

// wait returns true if more came in, false if any of the others ended it.
func wait(ctx context.Context, stop, more <-chan struct{}, timer <-chan time.Time) bool {
	select {
	case <-more:
		return true
	case <-ctx.Done():
	case <-stop:
	case <-timer:
	}
	return false
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
