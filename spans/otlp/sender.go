package otlp

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 5 * time.Second
	flushRetry = 500 * time.Millisecond // while shutting down
	maxDelay   = 30 * time.Second       // the longest that a collector may ask for
)

// sender moves batches from the queue to the collector, one at a time. It
// belongs to one goroutine.
type sender struct {
	queue   *queue
	client  client
	secrets secrets
	convert *converter
	health  health
	answers bool // the collector has answered at least once
	buf     []*spans.Trace
}

func newSender(q *queue, c client, set settings, o Options) *sender {
	return &sender{
		queue:   q,
		client:  c,
		secrets: set.secrets,
		convert: newConverter(o.Version),
		health:  health{log: o.Logger, endpoint: set.endpoint, limit: o.QueueSpans},
	}
}

// run sends until ctx ends, or until stop is closed and the queue is empty.
func (s *sender) run(ctx context.Context, stop <-chan struct{}) {
	for ctx.Err() == nil {
		batch, full := s.queue.batch(s.buf[:0])
		stopping := closed(stop)
		switch {
		case len(batch) == 0 && stopping:
			return
		case len(batch) == 0:
			wait(ctx, stop, s.queue.ready, nil)
			continue
		case !full && !stopping:
			s.gather(ctx, stop)
			batch, _ = s.queue.batch(batch[:0])
		}
		if !s.send(ctx, stop, batch) {
			return
		}
		clear(batch)
		s.buf = batch
	}
}

// gather waits until a batch is full, but not longer than batchDelay.
func (s *sender) gather(ctx context.Context, stop <-chan struct{}) {
	timer := time.NewTimer(batchDelay)
	defer timer.Stop()
	for {
		if !wait(ctx, stop, s.queue.ready, timer.C) {
			return
		}
		if s.queue.stats().Queued.Spans >= batchSpans {
			return
		}
	}
}

// send delivers a batch, however long that takes. false: given up.
func (s *sender) send(ctx context.Context, stop <-chan struct{}, batch []*spans.Trace) bool {
	unsure := false
	for delay := firstRetry; ; delay = min(2*delay, lastRetry) {
		r := s.attempt(ctx, batch)
		if r.unsure && !unsure {
			unsure = true
			s.queue.doubt(len(batch), spanCount(batch))
		}
		switch {
		case r.verdict == accepted:
			s.queue.settle(len(batch), r.rejected)
			return true
		case r.verdict == tooLarge:
			half := len(batch) / 2
			return s.send(ctx, stop, batch[:half]) && s.send(ctx, stop, batch[half:])
		case r.verdict == refused:
			s.queue.settle(len(batch), spanCount(batch))
			return true
		case closed(stop) && !s.answers:
			return false
		}
		if !s.pause(ctx, stop, max(delay, min(r.delay, maxDelay))) {
			return false
		}
	}
}

// attempt sends a batch once and takes note of what came of it.
func (s *sender) attempt(ctx context.Context, batch []*spans.Trace) result {
	r := s.secrets.hide(s.client.upload(ctx, s.convert.batch(batch)))
	s.queue.attempted(r.err)
	if r.verdict == tooLarge && len(batch) == 1 {
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

func spanCount(batch []*spans.Trace) (n int) {
	for _, t := range batch {
		n += len(t.Spans)
	}
	return n
}
