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

	// diskGrace is what a slow disk may add to the time that Shutdown is given.
	diskGrace = 2 * time.Second
)

// ErrUndelivered is returned by Shutdown if it had to give up traces.
var ErrUndelivered = errors.New("traces not delivered")

// Options of New. The zero value works.
type Options struct {
	Logger     *slog.Logger
	QueueSpans int    // spans held in memory at most; 0: DefaultQueueSpans
	Dir        string // for what memory cannot hold, also across restarts; "": none
	DirBytes   int64  // in it at most; 0: DefaultDirBytes
	Version    string // of the instrumentation scope
}

// Exporter sends traces in the background. Its methods are safe for
// concurrent use. An exported trace may not be changed afterwards.
type Exporter struct {
	queue    *queue
	disk     *disk    // nil: none
	spiller  *spiller // nil: no disk
	client   client
	sender   *sender
	log      *slog.Logger
	shutdown func(context.Context) error // runs once
	stop     chan struct{}               // closed: send what is left, then end
	cancel   context.CancelFunc          // stops sending now
	done     chan struct{}               // closed by the sender's goroutine
}

// New starts an exporter. It does not fail when the collector is away; it does
// when the settings of the environment cannot be met, or the directory cannot
// be had (ErrDirInUse).
func New(ctx context.Context, o Options) (*Exporter, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.QueueSpans <= 0 {
		o.QueueSpans = DefaultQueueSpans
	}
	if o.DirBytes <= 0 {
		o.DirBytes = DefaultDirBytes
	}
	set, err := readSettings(o.Logger)
	if err != nil {
		return nil, err
	}
	c, err := newClient(ctx, set, o)
	if err != nil {
		return nil, err
	}
	e, err := newExporter(ctx, c, set, o)
	if err != nil {
		c.stop(ctx)
		return nil, err
	}
	return e, nil
}

func newExporter(ctx context.Context, c client, set settings, o Options) (*Exporter, error) {
	e := &Exporter{
		queue:  newQueue(o.QueueSpans),
		client: c,
		log:    o.Logger,
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
	}
	if o.Dir != "" {
		d, err := openDisk(o.Dir, o.DirBytes, e.queue)
		if err != nil {
			return nil, err
		}
		e.disk, e.spiller = d, newSpiller(e.queue, d, o)
		found(o.Logger, o.Dir, e.Stats())
		go e.spiller.run()
	}
	e.shutdown = once(e.drain)
	e.sender = newSender(e.queue, e.disk, c, set, o)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e.cancel = cancel
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

// Shutdown sends what is queued for as long as ctx allows. The rest it leaves
// on disk, where there is a directory, or counts as undelivered. If the
// collector has never answered, one attempt must do; with a directory, the
// first that fails is the last. Later calls return what the first one did.
func (e *Exporter) Shutdown(ctx context.Context) error { return e.shutdown(ctx) }

func (e *Exporter) drain(ctx context.Context) error {
	e.queue.close()
	close(e.stop)
	select {
	case <-e.done:
	case <-ctx.Done():
	}
	e.cancel()
	// Nothing holds them up now but a disk that hangs.
	grace, cancel := context.WithTimeout(context.Background(), diskGrace)
	defer cancel()
	wait(grace, e.done, nil, nil)
	e.client.stop(ctx)
	if e.disk != nil {
		e.leave(grace)
	}
	if left := e.queue.abandon(); left.Traces > 0 {
		return fmt.Errorf("flush %d traces: %w", left.Traces, ErrUndelivered)
	}
	return nil
}

// leave writes to disk what is left in memory.
func (e *Exporter) leave(grace context.Context) {
	close(e.spiller.stop)
	wait(grace, e.spiller.done, nil, nil)
	if !closed(e.done) || !closed(e.spiller.done) {
		e.log.Warn("the disk of the queue directory hangs", "dir", e.disk.dir)
		return
	}
	e.disk.close()
	if s := e.Stats().Disk; s.Queued.Traces > 0 {
		e.log.Info("traces are left in the queue directory for the next start",
			"dir", e.disk.dir, "traces", s.Queued.Traces, "bytes", s.Bytes)
	}
}

// found says what earlier processes left.
func found(log *slog.Logger, dir string, s Stats) {
	if s.Restored != (Count{}) {
		log.Info("queue directory holds traces of an earlier run", "dir", dir, "traces", s.Disk.Queued.Traces,
			"bytes", s.Disk.Bytes, "torn", s.Torn.Traces)
	}
	if s.Disk.Errors > 0 {
		log.Warn("a file in the queue directory cannot be used", "dir", dir, "error", s.Disk.LastError)
	}
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
