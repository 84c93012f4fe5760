package wire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Header sizes of a batch of magic 2, in bytes.
const (
	crcAt       = 17 // the CRC's place; it covers what follows it
	crcCoversAt = 21
	lengthFrom  = 12 // base offset and length itself are not counted in the length
)

// Attribute bits of a batch, beside the codec's three.
const transactional = 1 << 4

// Plain is the producer id, epoch and sequence of a batch that is not idempotent.
const Plain = -1

// Batch is a record batch of magic 2 as a producer sends it: base offset 0,
// leader epoch -1.
type Batch struct {
	Codec         string // none, gzip, snappy, lz4, zstd; "" is none
	Records       []kmsg.Record
	Timestamp     int64 // ms, of all records
	ProducerID    int64
	ProducerEpoch int16
	Sequence      int32
	Transactional bool
}

var (
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
	compressors = map[string]kgo.Compressor{
		"gzip": compressor(kgo.GzipCompression()), "snappy": compressor(kgo.SnappyCompression()),
		"lz4": compressor(kgo.Lz4Compression()), "zstd": compressor(kgo.ZstdCompression()),
	}
)

func compressor(codec kgo.CompressionCodec) kgo.Compressor {
	c, err := kgo.DefaultCompressor(codec)
	if err != nil {
		panic(err) // a constant argument
	}
	return c
}

// Encode gives the batch's bytes and its CRC32C.
func (b *Batch) Encode() ([]byte, uint32, error) {
	var records []byte
	for i := range b.Records {
		r := b.Records[i]
		r.OffsetDelta = int32(i)
		records = appendRecord(records, &r)
	}
	attributes := int16(0)
	if b.Codec != "" && b.Codec != "none" {
		c := compressors[b.Codec]
		if c == nil {
			return nil, 0, fmt.Errorf("encode batch: no codec %q", b.Codec)
		}
		packed, codec := c.Compress(new(bytes.Buffer), records)
		records, attributes = bytes.Clone(packed), int16(codec)
	}
	if b.Transactional {
		attributes |= transactional
	}
	n := int32(len(b.Records))
	out := (&kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: attributes, LastOffsetDelta: n - 1,
		FirstTimestamp: b.Timestamp, MaxTimestamp: b.Timestamp,
		ProducerID: b.ProducerID, ProducerEpoch: b.ProducerEpoch, FirstSequence: b.Sequence,
		NumRecords: n, Records: records,
	}).AppendTo(nil)
	crc := crc32.Checksum(out[crcCoversAt:], castagnoli)
	binary.BigEndian.PutUint32(out[crcAt:], crc)
	binary.BigEndian.PutUint32(out[8:], uint32(len(out)-lengthFrom))
	return out, crc, nil
}

// appendRecord appends a record with its length, which AppendTo only copies.
func appendRecord(dst []byte, r *kmsg.Record) []byte {
	r.Length = 0
	r.Length = int32(len(r.AppendTo(nil)) - 1) // without the length's own one byte
	return r.AppendTo(dst)
}

// MessageSet gives the bytes of records in the format before batches, without
// compression: magic 0 for Produce v0 and v1, magic 1 for v2.
func MessageSet(magic int8, timestamp int64, records []kmsg.Record) []byte {
	var out []byte
	for i, r := range records {
		var m []byte
		if magic == 0 {
			m = (&kmsg.MessageV0{Key: r.Key, Value: r.Value}).AppendTo(nil)
		} else {
			m = (&kmsg.MessageV1{Magic: magic, Timestamp: timestamp, Key: r.Key, Value: r.Value}).AppendTo(nil)
		}
		binary.BigEndian.PutUint64(m, uint64(i))
		binary.BigEndian.PutUint32(m[8:], uint32(len(m)-lengthFrom))
		binary.BigEndian.PutUint32(m[12:], crc32.ChecksumIEEE(m[16:]))
		out = append(out, m...)
	}
	return out
}
