package otlp

import "github.com/tailspan/tailspan/spans"

// batch is some whole traces on their way: from memory, or else from disk.
type batch struct {
	fresh  []*spans.Trace
	stored []record
}

func (b batch) len() int { return max(len(b.fresh), len(b.stored)) }

func (b batch) count() (n Count) {
	if b.stored == nil {
		return countAll(b.fresh)
	}
	for i := range b.stored {
		n = n.plus(b.stored[i].count)
	}
	return n
}

func (b batch) halves() (first, second batch) {
	half := b.len() / 2
	if b.stored == nil {
		return batch{fresh: b.fresh[:half]}, batch{fresh: b.fresh[half:]}
	}
	return batch{stored: b.stored[:half]}, batch{stored: b.stored[half:]}
}

// request appends the batch as a request: what is on disk is one already.
func (b batch) request(to []byte, e *encoder) []byte {
	for i := range b.stored {
		to = append(to, b.stored[i].request...)
	}
	return e.request(to, b.fresh)
}
