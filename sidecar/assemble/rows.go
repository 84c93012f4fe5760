package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
)

// The rows of --print, with the field names that scripts outside the
// repository rely on: fields are added, never renamed. Times are Unix
// nanoseconds, durations nanoseconds; what is unknown is nil.

// RequestRow is a finished produce request.
type RequestRow struct {
	Arrival         int64              `json:"arrival_ns"`
	LastByte        int64              `json:"last_byte_ns"`
	Readable        int64              `json:"readable_ns"` // the broker could have read it: not before it had done with the one before
	End             *int64             `json:"end_ns"`
	Latency         *int64             `json:"latency_ns"`
	Client          string             `json:"client"`
	Broker          string             `json:"broker"`
	PID             *int32             `json:"pid"`
	ClientID        string             `json:"client_id"`
	APIVersion      int16              `json:"api_version"`
	CorrelationID   int32              `json:"correlation_id"`
	Acks            int16              `json:"acks"`
	TransactionalID string             `json:"transactional_id"`
	Partitions      []RequestPartition `json:"partitions"`
	TraceID         string             `json:"trace_id"`
	Cause           string             `json:"cause"`
	RootCause       string             `json:"root_cause"`
	WaitReason      *string            `json:"wait_reason"`      // why the kernel let the root cause last
	LostRecords     int64              `json:"lost_records"`     // of acks=0: never appended
	HeadersCut      bool               `json:"headers_cut"`      // there may be more message ids
	BlockedRequests int                `json:"blocked_requests"` // that waited for its writes and fsyncs
	Blocked         int64              `json:"blocked_ns"`       // and for how long, all in all
}

// Clone is a copy that stays as it is.
func (r *RequestRow) Clone() *RequestRow {
	c := *r
	c.Partitions = slices.Clone(r.Partitions)
	if r.End != nil {
		end, latency := *r.End, *r.Latency
		c.End, c.Latency = &end, &latency
	}
	return &c
}

// RequestPartition is one partition of a RequestRow.
type RequestPartition struct {
	Topic      string   `json:"topic"`
	Partition  int32    `json:"partition"`
	Bytes      int32    `json:"bytes"`
	Records    int32    `json:"records"`
	CRC        uint32   `json:"crc"`
	Codec      string   `json:"codec"`
	BaseOffset *int64   `json:"base_offset"`
	Error      *int16   `json:"error"`
	MessageIDs []string `json:"message_ids"`
}

// WriteRow is a write to a segment.
type WriteRow struct {
	Start   int64  `json:"start_ns"`
	End     int64  `json:"end_ns"`
	Latency int64  `json:"latency_ns"`
	PID     int32  `json:"pid"`
	TID     int32  `json:"tid"`
	Thread  string `json:"thread"`
	Bytes   int64  `json:"bytes"`
	Offset  int64  `json:"offset"`
	File    string `json:"file"`
}

// JoinedRow is one partition of a request with the write that stored it.
type JoinedRow struct {
	Arrival       int64    `json:"arrival_ns"`
	End           *int64   `json:"end_ns"`
	Client        string   `json:"client"`
	CorrelationID int32    `json:"correlation_id"`
	Topic         string   `json:"topic"`
	Partition     int32    `json:"partition"`
	BaseOffset    *int64   `json:"base_offset"`
	CRC           uint32   `json:"crc"`
	MessageIDs    []string `json:"message_ids"`
	WriteStart    int64    `json:"write_start_ns"`
	WriteEnd      int64    `json:"write_end_ns"`
	PID           int32    `json:"pid"`
	TID           int32    `json:"tid"`
	Thread        string   `json:"thread"`
	File          string   `json:"file"`
	Offset        int64    `json:"offset"`
	Bytes         int64    `json:"bytes"`
	Join          string   `json:"join"` // exact | inferred
	TraceID       string   `json:"trace_id"`

	// What was joined, for `tailspan verify`; not printed.
	Batch *event.RequestPartition `json:"-"`
	Write *event.Write            `json:"-"`
}

// WaitRow is a thread's wait for a Java monitor.
type WaitRow struct {
	Start         int64       `json:"start_ns"`
	End           int64       `json:"end_ns"`
	Latency       int64       `json:"latency_ns"`
	PID           int32       `json:"pid"`
	TID           int32       `json:"tid"`
	Thread        string      `json:"thread"`
	Class         string      `json:"class"`
	Monitor       string      `json:"monitor"`
	HolderTID     *int32      `json:"holder_tid"`
	HolderThread  *string     `json:"holder_thread"`
	Holders       []HolderRow `json:"holders"`
	TraceID       *string     `json:"trace_id"`
	HolderTraceID *string     `json:"holder_trace_id"`
	Unexplained   int64       `json:"unexplained_ns"` // the holders' and this are the latency
	Source        string      `json:"source"`         // usdt | function | jfr
	Join          *string     `json:"join"`           // exact | inferred; nil without a holder
}

// HolderRow is one holder's share of a wait.
type HolderRow struct {
	TID     int32   `json:"tid"`
	Thread  string  `json:"thread"`
	NS      int64   `json:"ns"`
	TraceID *string `json:"trace_id"`
	Wrote   *string `json:"write_trace_id"` // the trace of what it wrote meanwhile
}

// CommitRow is a journal commit with the ext4_dirty_inodes that it held up.
type CommitRow struct {
	Start       int64     `json:"start_ns"`
	End         int64     `json:"end_ns"`
	Latency     int64     `json:"latency_ns"`
	Device      string    `json:"device"`
	Transaction uint32    `json:"transaction"`
	Locking     int64     `json:"locking_ns"`
	Flushing    int64     `json:"flushing_ns"`
	Logging     int64     `json:"logging_ns"`
	Held        []HeldRow `json:"held"`
	TraceID     string    `json:"trace_id"`

	// Why it began: interval, fsync, sync or space; and who asked for it.
	Origin *string `json:"origin"`
	By     *ByRow  `json:"by"`
	// The journal's free blocks at the start, and all of its blocks.
	Free   *uint32 `json:"free_blocks"`
	Blocks *uint32 `json:"blocks"`
	// The kernel's own figures (run_stats).
	Handles *uint32 `json:"handles"`
	Logged  *uint32 `json:"logged_blocks"`
}

// ByRow is the thread that had a commit begun, of whatever process.
type ByRow struct {
	PID    int32  `json:"pid"`
	TID    int32  `json:"tid"`
	Thread string `json:"thread"`
}

// HeldRow is what overlapped a commit: an ext4_dirty_inode, or a thread's wait
// for a handle, of which the inode is not known.
type HeldRow struct {
	TID   int32   `json:"tid"`
	Inode *uint64 `json:"inode"`
	Start int64   `json:"start_ns"`
	End   int64   `json:"end_ns"`
	What  string  `json:"what"` // ext4_dirty_inode | handle_wait
}

// StackRow is why the thread of a write was not done yet, with the kernel stack
// that says so: one stay off its CPU, or one sample of it on its CPU.
type StackRow struct {
	Topic  string
	Write  int64 // how long the whole write took
	Reason string
	Frames []string // functions, innermost first; nil: not known
	NS     int64
}
