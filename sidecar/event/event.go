package event

import "net/netip"

// Time is CLOCK_MONOTONIC in nanoseconds, the one clock of all events.
type Time int64

// Event is one of the structs of this package; the set is closed.
type Event interface {
	// At is the instant by which the event is ordered: when it was complete.
	At() Time
	event()
}

// Conn names one TCP connection, uniquely within a run.
type Conn uint64

// TopicPartition is Kafka's name of one log.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Device is the kernel's dev_t, as in super_block.s_dev: major<<20 | minor
// (include/linux/kdev_t.h).
type Device uint32

// Major and Minor are the two halves of the device number.
func (d Device) Major() uint32 { return uint32(d) >> 20 }
func (d Device) Minor() uint32 { return uint32(d) & (1<<20 - 1) }

// Thread is one thread of a traced process, by host pid numbers.
type Thread struct {
	PID, TID int32
	Name     string // the full name where it is known, else the kernel's 15 bytes
}

// Request is a Produce request of which the last byte has been seen. The
// *Unix fields are the packets' own stamps (CLOCK_REALTIME), which is what is
// printed; the others are the same instants on the one clock.
type Request struct {
	Arrival, LastByte         Time
	ArrivalUnix, LastByteUnix int64

	Conn           Conn
	Client, Broker netip.AddrPort
	PID            int32 // the broker's; 0 where only packets are at hand

	Bytes           int32 // the frame, without its length field
	APIVersion      int16
	CorrelationID   int32
	ClientID        string
	TransactionalID string
	Acks            int16
	Partitions      []RequestPartition

	// Contexts are the distinct trace contexts of the records' `traceparent`
	// headers, a bounded number; ContextsOmitted is how many more there were.
	Contexts        []TraceContext
	ContextsOmitted int32
	// ContextShared says that all records of all partitions carry the one context
	// that there is, and that all of them say that it is sampled.
	ContextShared bool
	// HeadersCut says that not all record headers were read, because the budget
	// for that ran out or records were missed: there may be more contexts and
	// message ids.
	HeadersCut bool
}

// few is how many partitions most requests have at most: with these, a request
// and a response are one piece of memory each.
const few = 2

// NewRequest returns a request of n partitions, which is zero otherwise.
func NewRequest(n int) *Request {
	if n > few {
		return &Request{Partitions: make([]RequestPartition, n)}
	}
	r := new(struct {
		Request
		few [few]RequestPartition
	})
	r.Partitions = r.few[:n]
	return &r.Request
}

// TraceContext is what a W3C `traceparent` says
// (https://www.w3.org/TR/trace-context/#traceparent-header).
type TraceContext struct {
	TraceID [16]byte
	SpanID  [8]byte
	Flags   byte // 1: sampled
}

// RequestPartition is what a produce request carries for one partition:
// the record batch's header, never its records.
type RequestPartition struct {
	TopicPartition          // Topic is "" while the id is unresolved
	TopicID        [16]byte // v13 and later; zero before
	Bytes          int32    // the whole batch: length field + 12
	Records        int32
	CRC            uint32 // CRC32C over attributes to the end of the batch
	Attributes     int16  // bits 0-2 codec, 3 LogAppendTime, 4 transactional, 5 control
	ProducerID     int64
	ProducerEpoch  int16
	BaseSequence   int32
	MessageIDs     []string // only of the configured record header
}

// Response is the broker's answer to a Produce request.
type Response struct {
	Start, End         Time // first and last byte out
	StartUnix, EndUnix int64

	Conn          Conn
	CorrelationID int32
	ThrottleMS    int32
	Partitions    []ResponsePartition

	// The broker reads no request from a connection while it works on another
	// one of it. Before is when the response before this one, of whatever API,
	// had been sent whole; Throttled is until when its throttle time kept the
	// connection muted beyond that. 0: none, or not seen.
	Before, Throttled Time
}

// ResponsePartition is the broker's verdict on one partition of a request.
type ResponsePartition struct {
	TopicPartition
	TopicID       [16]byte
	Error         int16 // Kafka's error code, 0 for none
	BaseOffset    int64 // -1 where nothing was appended
	LogAppendTime int64 // ms, -1 with CreateTime
}

// NewResponse returns a response of n partitions, as NewRequest does.
func NewResponse(n int) *Response {
	if n > few {
		return &Response{Partitions: make([]ResponsePartition, n)}
	}
	r := new(struct {
		Response
		few [few]ResponsePartition
	})
	r.Partitions = r.few[:n]
	return &r.Response
}

// ConnLost says that no more can be learned of a connection's requests in
// flight: it was closed, or too much of it was missed.
type ConnLost struct {
	Time   Time
	Conn   Conn
	Reason string // a constant: "closed", "reset", "gap", "expired", "evicted"

	// ByBroker says that the broker ended it: its FIN came before the client's,
	// or it sent a RST, which says that it had not read all. So it refuses
	// acks=0 requests, and whatever lies behind them.
	ByBroker bool
}

// Fetch is a follower's Fetch request: what it asks from which offset on, it
// has up to there. An incremental session lists only what has changed.
type Fetch struct {
	Arrival, LastByte Time
	Conn              Conn
	PID               int32 // the leader's
	CorrelationID     int32
	Replica           int32 // the follower's broker id
	Partitions        []FetchPartition
}

// FetchPartition is one partition that a follower asks for.
type FetchPartition struct {
	TopicPartition          // Topic is "" while the id is unresolved
	TopicID        [16]byte // v13 and later; zero before
	Offset         int64    // the first that the follower does not have
}

// Fetched is the first byte out of the response to a follower's Fetch.
type Fetched struct {
	Time          Time
	Conn          Conn
	CorrelationID int32
}

// TopicName says what a topic id, until now unknown, stands for. PID 0 means
// any broker.
type TopicName struct {
	Time Time
	PID  int32
	ID   [16]byte
	Name string
}

// AppendHeaders is what the record headers of a written batch say, read from
// its segment because its request could not be. It comes some time after the
// Write of that PID, File and Offset.
type AppendHeaders struct {
	Time   Time
	PID    int32
	File   string // topic-partition/segment.log
	Offset int64  // in the file

	MessageIDs      []string
	Contexts        []TraceContext // distinct, a bounded number
	ContextsOmitted int32          // how many more there were
	ContextShared   bool           // as of a Request
	HeadersCut      bool           // not all could be read
}

// Wake is a thread's 8-byte write to an eventfd: a handler wakes the network
// thread that hands over a response.
type Wake struct {
	Time Time
	Thread
}

// Gone says that a traced process has ended.
type Gone struct {
	Time Time
	PID  int32
}
