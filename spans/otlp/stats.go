package otlp

import (
	"iter"

	"github.com/tailspan/tailspan/spans"
)

// Count is a number of traces, of the spans in them, and of those traces that
// are requests.
type Count struct{ Traces, Spans, Requests uint64 }

// countOf counts one trace, and countAll several.
func countOf(t *spans.Trace) Count {
	if t == nil {
		return Count{Traces: 1}
	}
	n := Count{Traces: 1, Spans: uint64(len(t.Spans))}
	if t.Request {
		n.Requests = 1
	}
	return n
}

func countAll(traces []*spans.Trace) (n Count) {
	for _, t := range traces {
		n = n.plus(countOf(t))
	}
	return n
}

func (c Count) plus(o Count) Count {
	return Count{c.Traces + o.Traces, c.Spans + o.Spans, c.Requests + o.Requests}
}

func (c Count) minus(o Count) Count {
	return Count{c.Traces - o.Traces, c.Spans - o.Spans, c.Requests - o.Requests}
}

// Stats accounts for every trace that was given to Export, or found on disk:
// Given + Restored = Exported + Σ Dropped + Queued.
type Stats struct {
	Given    Count
	Restored Count // found in the directory at the start, whole or not
	Exported Count // acknowledged by the collector
	Queued   Count // held now, in memory and on disk, also while being sent

	QueueFull   Count // dropped: the queue was full
	Rejected    Count // dropped: the collector refused them, or nothing was in them
	Undelivered Count // dropped: not delivered when the exporter was shut down
	Torn        Count // dropped: found on disk with the end missing; the spans may not be known
	Corrupt     Count // dropped: on disk, but no longer as they were written
	Unreadable  Count // dropped: the disk does not give them back

	Disk Disk

	Unsure    Count  // sent again although the collector may have taken them, for no answer came: it may have them twice
	Batches   uint64 // accepted by the collector
	Failures  uint64 // attempts to send that failed
	LastError string // of the last failed attempt
}

// Disk is what the queue has in its directory.
type Disk struct {
	Queued    Count // a part of Stats.Queued; what is left there after Shutdown is the next process's
	Bytes     int64
	Spilled   Count  // ever written
	Errors    uint64 // operations that failed
	LastError string
}

// Dropped yields every reason for a drop, always all and in this order, with
// what was dropped for it.
func (s Stats) Dropped() iter.Seq2[string, Count] {
	return func(yield func(string, Count) bool) {
		_ = yield("queue_full", s.QueueFull) && yield("rejected", s.Rejected) && yield("undelivered", s.Undelivered) &&
			yield("torn", s.Torn) && yield("corrupt", s.Corrupt) && yield("unreadable", s.Unreadable)
	}
}
