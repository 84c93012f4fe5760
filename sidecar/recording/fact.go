package recording

import (
	"net/netip"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Version is the version of the format; a reader refuses a newer one.
const Version = 1

// Fact is one thing that no packet or probe record says. Exactly one field is
// set.
type Fact struct {
	Header     *Header            `json:"header,omitempty"`
	Clock      *event.Calibration `json:"clock,omitempty"`
	Broker     *Broker            `json:"broker,omitempty"`
	Gone       *Gone              `json:"gone,omitempty"`
	Topic      *Topic             `json:"topic,omitempty"`
	MessageIDs *MessageIDs        `json:"message_ids,omitempty"`
	Headers    *RecordHeaders     `json:"record_headers,omitempty"`
	Append     *AppendHeaders     `json:"append_headers,omitempty"`
	Symbols    map[uint64]string  `json:"symbols,omitempty"` // kernel functions, by their number in the stacks that follow
	Threads    *Threads           `json:"threads,omitempty"`
	Watched    *Watched           `json:"monitors_watched,omitempty"`
	Tick       *Mark              `json:"tick,omitempty"`
	Progress   *Mark              `json:"progress,omitempty"`
	Losses     map[string]uint64  `json:"losses,omitempty"`
}

// Header is the first fact of a recording.
type Header struct {
	Version         int    `json:"version"`
	Tailspan        string `json:"tailspan"`
	Kernel          string `json:"kernel"`
	MessageIDHeader string `json:"message_id_header,omitempty"`
}

// Broker is a broker process from this moment on.
type Broker struct {
	PID     int32  `json:"pid"`
	Cluster string `json:"cluster"`
	Node    int32  `json:"node"`
	Host    string `json:"host"`
	// What else its spans' resource says: the name of its executable, its
	// JDK's version, the host's architecture and system, its pod.
	Executable string            `json:"executable,omitempty"`
	JDK        string            `json:"jdk,omitempty"`
	Arch       string            `json:"arch,omitempty"`
	OS         string            `json:"os,omitempty"`
	Kubernetes map[string]string `json:"kubernetes,omitempty"`

	Listeners []netip.AddrPort `json:"listeners"`
	// Encrypted are the listeners whose packets cannot be read; none is among
	// Listeners.
	Encrypted []netip.AddrPort `json:"encrypted,omitempty"`
	// HeadersFromLog says that the record headers of appends whose requests
	// cannot be read are read from the segments.
	HeadersFromLog bool `json:"headers_from_log,omitempty"`
	// Devices holds the file system type of each log dir's device.
	Devices map[event.Device]string `json:"devices"`
	// Disks holds the disks that the requests of each such device go to.
	Disks map[event.Device][]event.Device `json:"disks,omitempty"`
}

// Gone says that a broker process has ended.
type Gone struct {
	PID  int32      `json:"pid"`
	Time event.Time `json:"time"`
}

// Threads are the full names of a process's threads, by host thread id, as a
// thread dump gave them; a dump of many is several of these. Without any the
// process has ended, and what was known is forgotten.
type Threads struct {
	PID   int32            `json:"pid"`
	Names map[int32]string `json:"names"`
}

// Watched says that the monitors of a process are watched from now on, or not.
type Watched struct {
	PID  int32      `json:"pid"`
	Time event.Time `json:"time"`
	On   bool       `json:"on"`
}

// Topic is the name of a topic id (Kafka's base64 form).
type Topic struct {
	PID  int32  `json:"pid"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// MessageIDs are those of one partition of a request that follows, in the
// order of the request; its records are zeroed in the packets.
type MessageIDs struct {
	Client        netip.AddrPort `json:"client"`
	Broker        netip.AddrPort `json:"broker"`
	CorrelationID int32          `json:"correlation_id"`
	Index         int            `json:"index"`
	IDs           []string       `json:"ids"`
}

// RecordHeaders is what else the records of a request that follows said.
type RecordHeaders struct {
	Client        netip.AddrPort `json:"client"`
	Broker        netip.AddrPort `json:"broker"`
	CorrelationID int32          `json:"correlation_id"`
	Contexts      []string       `json:"contexts,omitempty"` // each as a `traceparent`
	Omitted       int32          `json:"omitted,omitempty"`
	Shared        bool           `json:"shared,omitempty"` // all records carry the one context, sampled
	Cut           bool           `json:"cut,omitempty"`
}

// AppendHeaders is what the records of a batch said that was written before,
// read from its segment because its request could not be.
type AppendHeaders struct {
	Time     event.Time `json:"time"`
	PID      int32      `json:"pid"`
	File     string     `json:"file"`
	Offset   int64      `json:"offset"`
	IDs      []string   `json:"ids,omitempty"`
	Contexts []string   `json:"contexts,omitempty"` // each as a `traceparent`
	Omitted  int32      `json:"omitted,omitempty"`
	Shared   bool       `json:"shared,omitempty"` // as above
	Cut      bool       `json:"cut,omitempty"`
}

// Mark is an instant: Tick, up to which packets had been handed over, or
// Progress, up to which every source had been read.
type Mark struct {
	Time event.Time `json:"time"`
}
