package sidecar

import "github.com/tailspan/tailspan/sidecar/event"

// batches carries events from the goroutine of a replay that reads and decodes
// to the one that merges and assembles, as Run has two. A batch holds what lies
// before one mark of the file, so the queue is given everything at the same
// points as if one goroutine did it all: the result does not depend on how the
// two run.
type batches struct {
	s    *Sidecar
	next []pushed // being filled
	full chan batch
	free chan []pushed

	failed chan struct{} // closed after err is set
	err    error
	ended  chan struct{}
}

type pushed struct {
	source event.Source
	event  event.Event
}

type batch struct {
	events []pushed
	mark   event.Time
	marked bool
	done   chan struct{} // nil: nobody waits for it
}

const (
	// batchSize is how many events go in one batch without a mark.
	batchSize = 4096
	// batchesAhead bounds how far decoding runs ahead.
	batchesAhead = 8
)

// assembleBatches starts the goroutine that assembles; end ends it.
func (s *Sidecar) assembleBatches() *batches {
	b := &batches{s: s, full: make(chan batch, batchesAhead), free: make(chan []pushed, batchesAhead+2),
		failed: make(chan struct{}), ended: make(chan struct{})}
	go b.assemble()
	return b
}

// push adds an event to the batch.
func (b *batches) push(s event.Source, e event.Event) {
	b.next = append(b.next, pushed{s, e})
	if len(b.next) == batchSize {
		b.send(batch{})
	}
}

// advance hands on the events up to mark. It returns the output's error, if
// there was one by now.
func (b *batches) advance(mark event.Time) error {
	b.send(batch{mark: mark, marked: true})
	select {
	case <-b.failed:
		return b.err
	default:
		return nil
	}
}

// settle waits until all that was pushed is in the queue and all that was
// marked is assembled: before what the assembler looks up changes.
func (b *batches) settle() {
	done := make(chan struct{})
	b.send(batch{done: done})
	<-done
}

// end hands on the rest, without a mark, and waits for the end.
func (b *batches) end() error {
	b.send(batch{})
	close(b.full)
	<-b.ended
	return b.err
}

func (b *batches) send(x batch) {
	x.events = b.next
	b.full <- x
	select {
	case b.next = <-b.free:
	default:
		b.next = nil
	}
}

func (b *batches) assemble() {
	defer close(b.ended)
	for x := range b.full {
		for _, p := range x.events {
			b.s.queue.Push(p.source, p.event)
		}
		if x.marked {
			b.note(b.s.advance(x.mark))
		}
		if x.done != nil {
			close(x.done)
		}
		clear(x.events)
		select {
		case b.free <- x.events[:0]:
		default:
		}
	}
}

// note keeps the first error. What is under way is assembled all the same: the
// account is of all that was decoded.
func (b *batches) note(err error) {
	if err != nil && b.err == nil {
		b.err = err
		close(b.failed)
	}
}
