package otlp

import (
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/tailspan/tailspan/spans"
)

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

// convert returns the batch as OTLP; valid until the converter's next call.
func (b batch) convert(c *converter) []*tracepb.ResourceSpans {
	if b.stored == nil {
		return c.batch(b.fresh)
	}
	return c.stored(b.stored)
}
