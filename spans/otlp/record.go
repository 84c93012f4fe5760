package otlp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/tailspan/tailspan/spans"
)

// A record is one trace on disk: four uint32, little-endian, and the payload.
//
//	length of the payload · spans · CRC32C of the payload · CRC32C of these three · payload
//
// where the lowest bit of the spans says whether it is a request.
//
// The payload is an ExportTraceServiceRequest of OTLP's with one ResourceSpans,
// so several of them, one behind the other, are a request too. With a checksum of its own the
// length can be relied on, so that a damaged payload costs one trace.
const (
	recordHeader = 16
	maxRecord    = maxRequest // nobody would take a larger one
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var (
	errTorn    = errors.New("a record's end is missing")
	errDamaged = errors.New("a record's header is damaged")
	errPayload = errors.New("a record's payload is damaged")
)

// record is one read from disk.
type record struct {
	request []byte
	count   Count // of this one
	to      int64 // where it ends in its segment
	upTo    Count // of the segment, what ends with it
}

// appendRecord appends one trace.
func appendRecord(b []byte, e *encoder, one []*spans.Trace) ([]byte, error) {
	at, n := len(b), countAll(one)
	b = append(b, make([]byte, recordHeader)...)
	b = e.request(b, one)
	h, payload := b[at:at+recordHeader], b[at+recordHeader:]
	if len(payload) > maxRecord {
		return nil, errTooLarge
	}
	binary.LittleEndian.PutUint32(h, uint32(len(payload)))
	binary.LittleEndian.PutUint32(h[4:], uint32(n.Spans<<1|n.Requests))
	binary.LittleEndian.PutUint32(h[8:], crc32.Checksum(payload, castagnoli))
	binary.LittleEndian.PutUint32(h[12:], crc32.Checksum(h[:12], castagnoli))
	return b, nil
}

// isRequest says whether a payload is what it should be, from outside.
func isRequest(payload []byte) bool {
	field, _, n := protowire.ConsumeField(payload)
	return n == len(payload) && field == requestResourceSpans
}

// recordReader reads records one after the other.
type recordReader struct {
	r       *bufio.Reader
	left    int64 // bytes of r that may be read
	payload []byte
}

func (r *recordReader) reset(from io.Reader, size int64) {
	if r.r == nil {
		r.r = bufio.NewReaderSize(nil, 64<<10)
	}
	r.r.Reset(from)
	r.left = size
}

// next returns a payload, valid until the next call, what is said to be in it,
// and how many bytes it took with its header. io.EOF: all were read.
// errPayload: the next one can be read. After any other error none can. What
// is in it is also given where only the payload is torn or damaged.
func (r *recordReader) next() (payload []byte, one Count, size int64, err error) {
	if r.left == 0 {
		return nil, one, 0, io.EOF
	}
	var h [recordHeader]byte
	if r.left < recordHeader {
		return nil, one, 0, errTorn
	}
	if err := r.fill(h[:]); err != nil {
		return nil, one, 0, err
	}
	length, n := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint32(h[4:])
	if crc32.Checksum(h[:12], castagnoli) != binary.LittleEndian.Uint32(h[12:]) || length > maxRecord || n>>1 > maxRecord {
		return nil, one, 0, errDamaged
	}
	return r.body(h, int(length), Count{Traces: 1, Spans: uint64(n >> 1), Requests: uint64(n & 1)})
}

func (r *recordReader) body(h [recordHeader]byte, length int, one Count) ([]byte, Count, int64, error) {
	if int64(length) > r.left {
		return nil, one, 0, errTorn
	}
	if cap(r.payload) < length {
		r.payload = make([]byte, length)
	}
	r.payload = r.payload[:length]
	if err := r.fill(r.payload); err != nil {
		return nil, one, 0, err
	}
	if crc32.Checksum(r.payload, castagnoli) != binary.LittleEndian.Uint32(h[8:]) {
		return nil, one, int64(recordHeader + length), errPayload
	}
	return r.payload, one, int64(recordHeader + length), nil
}

func (r *recordReader) fill(b []byte) error {
	n, err := io.ReadFull(r.r, b)
	r.left -= int64(n)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}
