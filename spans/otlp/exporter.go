package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tailspan/tailspan/spans"
)

const (
	// DefaultQueueSpans bounds the queue where Options does not: some 20 MB of
	// spans, several seconds of a busy broker with everything exported.
	DefaultQueueSpans = 32768

	batchSpans = 512                    // a batch is full from here on
	batchDelay = 200 * time.Millisecond // and not kept waiting longer than this
)

// ErrUndelivered is returned by Shutdown if it had to give up traces.
var ErrUndelivered = errors.New("traces not delivered")

// Options of New. The zero value works.
type Options struct {
	Logger     *slog.Logger
	QueueSpans int    // spans held at most; 0: DefaultQueueSpans
	Version    string // of the instrumentation scope
}

// Exporter sends traces in the background. Its methods are safe for
// concurrent use. An exported trace may not be changed afterwards.
type Exporter struct {
	queue    *queue
	sender   *sender
	client   client
	shutdown func(context.Context) error // runs once
	stop     chan struct{}               // closed: send what is left, then end
	cancel   context.CancelFunc          // stops sending now
	done     chan struct{}               // closed by the sender's goroutine
}

// New starts an exporter. It does not fail when the collector is away; it does
// when the settings of the environment cannot be met.
func New(ctx context.Context, o Options) (*Exporter, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.QueueSpans <= 0 {
		o.QueueSpans = DefaultQueueSpans
	}
	set, err := readSettings(o.Logger)
	if err != nil {
		return nil, err
	}
	c, err := newClient(ctx, set, o)
	if err != nil {
		return nil, err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e := &Exporter{
		queue:  newQueue(o.QueueSpans),
		client: c,
		stop:   make(chan struct{}),
		cancel: cancel,
		done:   make(chan struct{}),
	}
	e.sender = newSender(e.queue, c, set, o)
	e.shutdown = once(e.drain)
	go func() {
		defer close(e.done)
		e.sender.run(run, e.stop)
	}()
	return e, nil
}

// Export queues a trace. It never blocks; false says that the trace was
// dropped, which is counted.
func (e *Exporter) Export(t *spans.Trace) bool { return e.queue.push(t) }

// Stats may be read at any time.
func (e *Exporter) Stats() Stats { return e.queue.stats() }

// Shutdown sends what is queued for as long as ctx allows, and counts the rest
// as undelivered. If the collector has never answered, one attempt must do.
// Later calls return what the first one did.
func (e *Exporter) Shutdown(ctx context.Context) error { return e.shutdown(ctx) }

func (e *Exporter) drain(ctx context.Context) error {
	e.queue.close()
	close(e.stop)
	select {
	case <-e.done:
	case <-ctx.Done():
	}
	e.cancel()
	<-e.done
	e.client.stop(ctx)
	if left := e.queue.abandon(); left.Traces > 0 {
		return fmt.Errorf("flush %d traces: %w", left.Traces, ErrUndelivered)
	}
	return nil
}

func once(f func(context.Context) error) func(context.Context) error {
	var (
		o   sync.Once
		err error
	)
	return func(ctx context.Context) error {
		o.Do(func() { err = f(ctx) })
		return err
	}
}
