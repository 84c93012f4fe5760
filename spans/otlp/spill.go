package otlp

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// spiller moves the oldest traces from memory to disk while more than half of
// the memory is full. It belongs to one goroutine, the only one that a disk
// which is slow to write holds up.
type spiller struct {
	queue   *queue
	disk    *disk
	encoder *encoder
	log     *slog.Logger
	stop    chan struct{} // closed: move everything, then end
	done    chan struct{} // closed at the end
	bad     bool          // the directory takes no more, which was said
	buf     []*spans.Trace
}

func newSpiller(q *queue, d *disk, o Options) *spiller {
	return &spiller{
		queue: q, disk: d, encoder: newEncoder(o.Version), log: o.Logger,
		stop: make(chan struct{}), done: make(chan struct{}),
	}
}

func (s *spiller) run() {
	defer close(s.done)
	for !closed(s.stop) {
		if !s.queue.tooMany() {
			wait(context.Background(), s.stop, s.queue.crowded, nil)
			continue
		}
		if !s.move() {
			wait(context.Background(), s.stop, nil, time.After(diskRetry))
		}
	}
	for s.queue.waits() > 0 && s.move() {
	}
}

// move stores the oldest traces. false: the directory does not take them all.
func (s *spiller) move() bool {
	batch := s.queue.take(s.buf[:0])
	n, err := s.disk.store(batch, s.encoder)
	s.queue.giveBack(batch[n:])
	clear(batch)
	s.buf = batch
	s.note(err)
	return err == nil
}

// note says once that the directory takes no more, and once that it does.
func (s *spiller) note(err error) {
	switch {
	case err == nil && s.bad:
		s.log.Info("queue directory takes traces again", "dir", s.disk.dir)
	case err != nil && !s.bad && errors.Is(err, errDirFull):
		s.log.Warn("queue directory is full: traces wait in memory", "dir", s.disk.dir, "bytes", s.disk.limit,
			"do", "look why the collector is slow or away, or give the directory more")
	case err != nil && !s.bad:
		s.log.Warn("queue directory cannot be written to: traces wait in memory", "dir", s.disk.dir, "error", brief(err))
	}
	s.bad = err != nil
}
