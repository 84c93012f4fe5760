package kafka

import (
	"errors"
	"time"
)

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
	// MaxContexts bounds the trace contexts of one request: a link each, of
	// which SDKs keep 128 a span.
	MaxContexts = 32

	// headerBytes, headerRecords and headerTime are what reading the record
	// headers of one request may cost. Producers make batches of up to 1 MB by
	// default, so that one is read whole; requests of brokers' usual sizes
	// stay far below (10 records of 1.5 KB: 1 to 20 µs). A request beyond it
	// costs a CPU no more than the broker's own work on it: 1 MiB of gzip takes
	// 5 ms. The time is a wall clock's, and leaves room for a thread that is
	// preempted meanwhile.
	headerBytes   = 1 << 20
	headerRecords = 4096
	headerTime    = 50 * time.Millisecond
	// maxGathers bounds the compressed batches that are gathered at once, of
	// at most headerBytes each.
	maxGathers = 16

	// chunkSize is what is decompressed at once where the codec lets us choose.
	chunkSize = 64 << 10
	// slideBlocks is how much linked lz4 blocks decompress before they slide
	// back to the start of their storage.
	slideBlocks = 1 << 20
	// maxZstdWindow bounds what a zstd stream makes us hold: what RFC 8878
	// (3.1.1.1.2) wants of every decoder. Kafka's default level needs 2 MiB.
	maxZstdWindow = 8 << 20
)

// Errors about one frame. The frame is passed over; the stream goes on.
var (
	ErrMalformed = errors.New("frame breaks its format")
	ErrBound     = errors.New("frame exceeds a bound")
	ErrTrailing  = errors.New("frame is longer than its fields")
)

// ErrNotFrame ends a stream: what stands where a frame should begin is none.
var ErrNotFrame = errors.New("no Kafka frame here")
