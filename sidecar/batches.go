package sidecar

import "github.com/tailspan/tailspan/sidecar/event"

// batches carries what a replay has decoded from the goroutine that reads the
// file to the one that merges and assembles, as Run has two. The marks go with
// the events, so the queue gets everything in the order of the file, as if one
// goroutine did it all: the result does not depend on how the two run.
type batches struct {
	s    *Sidecar
	next []step // being filled
	full chan []step
	free chan []step

	failed chan struct{} // closed after err is set
	err    error
	ended  chan struct{}
}

// step is an event to be queued, or, without one, a mark or somebody who waits.
type step struct {
	event  event.Event
	source event.Source
	mark   event.Time
	done   chan struct{} // nil: it is a mark
}

const (
	// batchSize is how many steps go in one batch: enough that a goroutine that
	// has to be woken costs nothing.
	batchSize = 1024
	// batchesAhead bounds how far decoding runs ahead.
	batchesAhead = 4
)

// assembleBatches starts the goroutine that assembles; end ends it.
func (s *Sidecar) assembleBatches() *batches {
	b := &batches{s: s, full: make(chan []step, batchesAhead), free: make(chan []step, batchesAhead+2),
		failed: make(chan struct{}), ended: make(chan struct{})}
	go b.assemble()
	return b
}

// push adds an event.
func (b *batches) push(s event.Source, e event.Event) { b.add(step{event: e, source: s}) }

// advance hands on the events up to mark. It returns the output's error, if
// there was one by now.
func (b *batches) advance(mark event.Time) error {
	b.add(step{mark: mark})
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
	b.add(step{done: done})
	b.send()
	<-done
}

// end hands on the rest and waits for the end.
func (b *batches) end() error {
	b.send()
	close(b.full)
	<-b.ended
	return b.err
}

func (b *batches) add(x step) {
	b.next = append(b.next, x)
	if len(b.next) >= batchSize {
		b.send()
	}
}

func (b *batches) send() {
	b.full <- b.next
	select {
	case b.next = <-b.free:
	default:
		b.next = make([]step, 0, batchSize)
	}
}

func (b *batches) assemble() {
	defer close(b.ended)
	for batch := range b.full {
		for i := range batch {
			b.take(&batch[i])
		}
		clear(batch)
		select {
		case b.free <- batch[:0]:
		default:
		}
	}
}

// take does a step. After an error, what is under way is assembled all the
// same: the account is of all that was decoded.
func (b *batches) take(x *step) {
	switch {
	case x.event != nil:
		b.s.queue.Push(x.source, x.event)
	case x.done != nil:
		close(x.done)
	default:
		if err := b.s.advance(x.mark); err != nil && b.err == nil {
			b.err = err
			close(b.failed)
		}
	}
}
