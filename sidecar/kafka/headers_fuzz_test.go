package kafka

import (
	"bytes"
	"compress/gzip"
	"io"
	"reflect"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const oracleBytes = 1 << 20

// inflate is the oracle for decompression: the libraries' own readers, up to
// oracleBytes. whole says that there was no error.
func inflate(attributes int16, b []byte) (out []byte, whole bool) {
	var r io.Reader
	var err error
	switch attributes & codecMask {
	case 0:
		return b, true
	case 1:
		if r, err = gzip.NewReader(bytes.NewReader(b)); err != nil {
			return nil, false
		}
	case 2:
		if !bytes.HasPrefix(b, []byte(xerialMagic)) {
			if n, err := s2.DecodedLen(b); err != nil || n > oracleBytes {
				return nil, false
			}
		}
		out, err = xerial.DecodeCapped(make([]byte, 0, oracleBytes), b)
		return out, err == nil
	case 3:
		r = lz4.NewReader(bytes.NewReader(b))
	case 4:
		d, err := zstd.NewReader(bytes.NewReader(b), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, false
		}
		defer d.Close()
		r = d
	default:
		return nil, false
	}
	out, err = io.ReadAll(io.LimitReader(r, oracleBytes))
	return out, err == nil
}

// kmsgHeaders is the oracle for records: what the first n of them say, which
// is all unless one breaks the format, or is not written as kmsg writes it.
func kmsgHeaders(b []byte, count int) (rows headerRows, n int) {
	for ; n < count; n++ {
		var rec kmsg.Record
		if rec.ReadFrom(b) != nil {
			return rows, n
		}
		again := rec.AppendTo(nil)
		if !bytes.HasPrefix(b, again) {
			return rows, n
		}
		b = b[len(again):]
		row := headerRow{record: n}
		for _, h := range rec.Headers {
			switch h.Key {
			case "traceparent":
				row.context, _ = ParseTraceparent(h.Value)
			case "id":
				if row.hasID = h.Value != nil && len(h.Value) <= MaxMessageIDBytes; row.hasID {
					row.id = string(h.Value)
				} else {
					row.id = ""
				}
			}
		}
		if row.hasID || row.context != (TraceContext{}) {
			rows = append(rows, row)
		}
	}
	return rows, n
}

// FuzzRecordHeaders reads whatever calls itself records of any codec. What is
// read is what the libraries and kmsg read, or a beginning of it; in a request
// in pieces of any size it is the same, and the next request is found.
func FuzzRecordHeaders(f *testing.F) {
	r := newRand(f, 41)
	for _, n := range []int{1, 3, 20} {
		records, _ := randomRecords(r, n, 300)
		plain := encodeRecords(records)
		for _, c := range testCodecs {
			b := c.compress(f, plain)
			f.Add(uint8(c.attributes), uint8(n), uint8(0), b)
			f.Add(uint8(c.attributes), uint8(n), uint8(7), b[:len(b)*2/3])
		}
	}
	f.Add(uint8(3), uint8(5), uint8(9), linkedFrame(encodeRecords(first(randomRecords(r, 5, 3000))), 900))
	h := &HeaderReader{MessageID: "id", Contexts: true}
	f.Fuzz(func(t *testing.T, codec, count, size uint8, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		var got headerRows
		limit := Budget{Bytes: oracleBytes, Records: 1 << 20, Time: time.Hour}
		b := limit
		h.walk.units = 0
		err := h.Read(&b, int16(codec), int32(count), data, &got)
		if spent := limit.Bytes - b.Bytes; spent > limit.Bytes+maxUnit || int(h.walk.units) > 2*max(spent, len(data))+2 {
			t.Fatalf("%d bytes, %d units of %d bytes", spent, h.walk.units, len(data))
		}
		if n := len(h.codecs.blocks.out); n > max(chunkSize, 2*oracleBytes+slideBlocks+lz4Window) {
			t.Fatalf("holds %d bytes", n)
		}
		plain, whole := inflate(int16(codec), data)
		want, n := kmsgHeaders(plain, int(count))
		checkAgainstOracle(t, got, want, n, err, whole, int(count))
		if len(data) > 0 {
			checkOnWire(t, int16(codec), int32(count), int(size), data, got, err)
		}
	})
}

func first[A, B any](a A, _ B) A { return a }

func checkAgainstOracle(t *testing.T, got, want headerRows, n int, err error, whole bool, count int) {
	t.Helper()
	if err == nil && n == count && !reflect.DeepEqual(got, want) {
		t.Fatalf("got %+v\nwant %+v", got, want)
	}
	if err != nil && whole && n == count && len(want) > 0 && count <= MaxMessageIDs && len(got) > len(want) {
		t.Fatalf("%v: got %d, want %d", err, len(got), len(want))
	}
	for i, row := range got {
		if row.record >= n {
			return // the oracle gave up before
		}
		if i >= len(want) || row != want[i] {
			t.Fatalf("row %d: got %+v, want %+v", i, row, want)
		}
	}
}

// checkOnWire puts the records in the first of two requests.
func checkOnWire(t *testing.T, attributes int16, count int32, size int, data []byte, want headerRows, wantErr error) {
	t.Helper()
	frame := frameAround(wrapBatch(attributes, int(count), data))
	s := &seen{names: NewInterner(), id: "id"}
	var stream RequestStream
	feedAll(t, append(bytes.Clone(frame), frame...), size, func(b []byte, k *Kept) (int, error) {
		return stream.Feed(b, 0, k, s.names, s)
	})
	if len(s.produces) != 2 || stream.Inside() {
		t.Fatalf("%d requests, %v", len(s.produces), s.errs)
	}
	for i := range s.produces {
		p := &s.produces[i]
		var ids []string
		var set contexts
		for _, row := range want {
			if row.hasID {
				ids = append(ids, string(bytes.ToValidUTF8([]byte(row.id), []byte("\uFFFD"))))
			}
			if row.context != (TraceContext{}) {
				set.add(row.context)
			}
		}
		list, omitted := p.Contexts()
		at := p.Partitions[0]
		if !reflect.DeepEqual(at.MessageIDs, ids) || !reflect.DeepEqual(append([]TraceContext(nil), list...), set.list) || omitted != len(set.more) {
			t.Fatalf("%q %v, want %q %v", at.MessageIDs, list, ids, set.list)
		}
		if at.HeadersFailed != (wantErr == ErrMalformed) || p.HeadersCut != (wantErr != nil) {
			t.Fatalf("failed %v, cut %v, want %v", at.HeadersFailed, p.HeadersCut, wantErr)
		}
	}
}
