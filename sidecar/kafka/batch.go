package kafka

import "encoding/binary"

// BatchHeaderSize is the record batch's header of magic 2, the only one that
// Produce v3 and later may carry.
const BatchHeaderSize = 61

// Batch is the header of a record batch.
type Batch struct {
	BaseOffset    int64
	Length        int32 // of the whole batch: the length field + 12
	CRC           uint32
	Attributes    int16
	Records       int32
	ProducerID    int64
	ProducerEpoch int16
	BaseSequence  int32
}

// ParseBatch reads the header at the start of b. It says no where that is no
// batch of magic 2 with a length that can be.
func ParseBatch(b []byte) (Batch, bool) {
	var h Batch
	ok := h.parse(b)
	return h, ok
}

// mayBeBatch says whether records of a size may begin as these bytes do, of which
// there may be few: what is none is not taken, so that nothing of it is kept.
func mayBeBatch(b []byte, size int) bool {
	const length, magic = 8, 16
	return (len(b) < length+4 || int(int32(binary.BigEndian.Uint32(b[length:])))+length+4 == size) &&
		(len(b) <= magic || b[magic] == 2)
}

// parse fills the batch in place, or leaves it zero.
func (h *Batch) parse(b []byte) bool {
	if len(b) < BatchHeaderSize || b[16] != 2 {
		*h = Batch{}
		return false
	}
	b = b[:BatchHeaderSize]
	length := int64(int32(binary.BigEndian.Uint32(b[8:]))) + 12
	records := int32(binary.BigEndian.Uint32(b[57:]))
	if length < BatchHeaderSize || length > MaxFrame || records < 0 {
		*h = Batch{}
		return false
	}
	h.BaseOffset = int64(binary.BigEndian.Uint64(b))
	h.Length = int32(length)
	h.CRC = binary.BigEndian.Uint32(b[17:])
	h.Attributes = int16(binary.BigEndian.Uint16(b[21:]))
	h.ProducerID = int64(binary.BigEndian.Uint64(b[43:]))
	h.ProducerEpoch = int16(binary.BigEndian.Uint16(b[51:]))
	h.BaseSequence = int32(binary.BigEndian.Uint32(b[53:]))
	h.Records = records
	return true
}

var codecs = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// Codec is the name of the compression that a batch's attributes tell.
func Codec(attributes int16) string {
	if i := attributes & 7; int(i) < len(codecs) {
		return codecs[i]
	}
	return "unknown"
}
