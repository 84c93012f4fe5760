package metrics

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// What is measured. The structs are the caller's again when the call returns;
// strings in them are copied if they are kept. Durations below zero count as
// zero. Broker is the node id everywhere, negative where it is not known.

// Request is a finished produce request.
type Request struct {
	Broker int32

	// Latency is that of the trace's root. Of a request without a response it is
	// how long it took at least.
	Latency time.Duration
	// Queue is the wait for a handler, Replication that for the followers. 0:
	// there was none, or it was not seen; neither is observed then.
	Queue, Replication time.Duration

	// Cause and RootCause are those of the root; CauseNone is shown as "unknown".
	Cause, RootCause spans.Cause
	// Failed says that the root's status is Error. Where no part has an error,
	// the request was lost: never appended, or never answered.
	Failed bool

	// Topics are its topics. With other than one, the request itself (its
	// latency, its slowness) is counted under "(several)".
	Topics []TopicPart
}

// TopicPart is what a request had for one topic.
type TopicPart struct {
	Topic          string
	Partitions     int   // 0 counts as 1
	Bytes, Records int64 // of whole batches, refused ones included
	Errors         int   // partitions that were refused
	Error          string
}

// Write is a write to a segment, for a request or not.
type Write struct {
	Broker   int32
	Duration time.Duration
}

// Wait is a wait that ended: for a monitor, or parked for a lock of
// java.util.concurrent.
type Wait struct {
	Broker   int32
	Duration time.Duration
	Park     bool
}

// Commit is a commit of a journal.
type Commit struct {
	Device   event.Device
	Duration time.Duration
	// The phases. 0: not seen, and not observed.
	Locking, Flushing, Logging time.Duration
}

// Pause is a stop of all threads of a JVM.
type Pause struct {
	Broker   int32
	Duration time.Duration
	GC       bool // else another operation of the VM
}
