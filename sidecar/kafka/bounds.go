package kafka

import "errors"

// What the wire may declare at most. Every bound is far above what brokers
// accept by default and far below what would hurt.
const (
	// MaxFrame bounds a frame. Brokers refuse requests over 100 MiB
	// (socket.request.max.bytes); it also stays below what a TLS record
	// (0x160301..) or an HTTP verb looks like when read as a length.
	MaxFrame = 256 << 20
	// MaxName bounds client ids, transactional ids and topics (Kafka: 249).
	MaxName = 1024
	// MaxPartitions bounds the partitions of one Produce frame.
	MaxPartitions = 1 << 14
	// MaxMetadataTopics bounds the topics that are taken from one response.
	MaxMetadataTopics = 1 << 16
	// MaxTags bounds the tagged fields of one structure.
	MaxTags = 256
	// maxUnit bounds the one field, or group of small fields, that is carried
	// from piece to piece.
	maxUnit = 4096

	// MaxMessageIDs and MaxMessageIDBytes bound the ids of one batch, and one id.
	MaxMessageIDs     = 4096
	MaxMessageIDBytes = 256
	// MaxMessageIDTotal bounds the bytes of the ids of one batch.
	MaxMessageIDTotal = 64 << 10
	// MaxRecordHeaders bounds the headers of one record.
	MaxRecordHeaders = 1024
)

// Errors about one frame. The frame is passed over; the stream goes on.
var (
	ErrMalformed = errors.New("frame breaks its format")
	ErrBound     = errors.New("frame exceeds a bound")
	ErrTrailing  = errors.New("frame is longer than its fields")
)

// ErrNotFrame ends a stream: what stands where a frame should begin is none.
var ErrNotFrame = errors.New("no Kafka frame here")
