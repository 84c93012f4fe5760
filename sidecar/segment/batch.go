package segment

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// What may stand at a position instead of a batch.
var (
	// ErrEnd: the end of the file, or of what has been written into a file
	// that was made at its full length (log.preallocate).
	ErrEnd = errors.New("the log ends here")
	// ErrCut: a batch that is longer than the rest of the file.
	ErrCut = errors.New("the file ends within the batch")
	// ErrNotBatch: anything else.
	ErrNotBatch = errors.New("no record batch here")
	// ErrNotFound: the file has no batch with the offset.
	ErrNotFound = errors.New("no batch with this offset")
	// ErrChecksum: the bytes of a batch are not those of its CRC.
	ErrChecksum = errors.New("the batch does not have its checksum")
)

// MagicError says that a message set of an older format stands there: Kafka 0.x.
type MagicError struct {
	Magic int8
	Size  int64 // of the whole entry
}

func (e *MagicError) Error() string {
	return fmt.Sprintf("message format %d is not supported", e.Magic)
}

// Batch is the header of a record batch of a segment.
type Batch struct {
	kafka.Batch
	Position    int64 // in the file
	LeaderEpoch int32
	LastOffset  int64
	// MaxTimestamp is Unix ms: the latest of its records' own, or with
	// LogAppendTime the broker's. What a producer says can be any.
	MaxTimestamp int64
}

// Control says that it is a transaction's marker, which a coordinator wrote.
func (b *Batch) Control() bool { return b.Attributes&(1<<5) != 0 }

// LogAppendTime says that MaxTimestamp is the broker's word.
func (b *Batch) LogAppendTime() bool { return b.Attributes&(1<<3) != 0 }

// End is the position behind the batch.
func (b *Batch) End() int64 { return b.Position + int64(b.Length) }

const (
	headerSize = kafka.BatchHeaderSize
	// overhead is offset and size, which the size does not count.
	overhead = 12
	// crcFrom is where the checksummed part begins: at the attributes.
	crcFrom = 21
	// minLegacy is the least size of a message of magic 0
	// (LegacyRecord.RECORD_OVERHEAD_V0).
	minLegacy = 14
	magicAt   = 16
)

// parse reads what stands in b, up to the first 61 bytes of the rest of a file.
func parse(b []byte, position int64) (Batch, error) {
	switch {
	case zero(b):
		return Batch{}, ErrEnd
	case len(b) < magicAt+1:
		return Batch{}, ErrCut
	case b[magicAt] < 2:
		size := int64(int32(binary.BigEndian.Uint32(b[8:])))
		if size < minLegacy || size > kafka.MaxFrame {
			return Batch{}, ErrNotBatch
		}
		return Batch{}, &MagicError{int8(b[magicAt]), size + overhead}
	case b[magicAt] > 2:
		return Batch{}, ErrNotBatch
	case len(b) < headerSize:
		return Batch{}, ErrCut
	}
	h, ok := kafka.ParseBatch(b)
	delta := int32(binary.BigEndian.Uint32(b[23:]))
	if !ok || delta < 0 || h.BaseOffset < 0 || h.BaseOffset+int64(delta) < h.BaseOffset {
		return Batch{}, ErrNotBatch
	}
	return Batch{Batch: h, Position: position, LeaderEpoch: int32(binary.BigEndian.Uint32(b[12:])),
		LastOffset: h.BaseOffset + int64(delta), MaxTimestamp: int64(binary.BigEndian.Uint64(b[35:]))}, nil
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
