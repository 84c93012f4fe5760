package kafka

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/snappy/xerial"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// testCodec compresses as one of the clients does.
type testCodec struct {
	name       string
	attributes int16
	compress   func(t testing.TB, b []byte) []byte
}

var testCodecs = []testCodec{
	{"none", 0, func(_ testing.TB, b []byte) []byte { return b }},
	{"gzip", 1, func(t testing.TB, b []byte) []byte {
		return written(t, b, func(o *bytes.Buffer) wc { return gzip.NewWriter(o) })
	}},
	{"snappy", 2, func(_ testing.TB, b []byte) []byte { return s2.EncodeSnappy(nil, b) }},
	{"snappy-xerial", 2, func(_ testing.TB, b []byte) []byte { return xerial.Encode(nil, b) }},
	{"lz4", 3, func(t testing.TB, b []byte) []byte { return lz4Written(t, b, lz4.BlockSizeOption(lz4.Block64Kb)) }},
	{"lz4-4MiB", 3, func(t testing.TB, b []byte) []byte { return lz4Written(t, b) }},
	{"zstd", 4, func(t testing.TB, b []byte) []byte {
		return written(t, b, func(o *bytes.Buffer) wc { return must(zstd.NewWriter(o, zstd.WithEncoderConcurrency(1))) })
	}},
}

type wc interface {
	Write([]byte) (int, error)
	Close() error
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func written(t testing.TB, b []byte, open func(*bytes.Buffer) wc) []byte {
	var out bytes.Buffer
	w := open(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func lz4Written(t testing.TB, b []byte, o ...lz4.Option) []byte {
	return written(t, b, func(out *bytes.Buffer) wc {
		w := lz4.NewWriter(out)
		if err := w.Apply(o...); err != nil {
			t.Fatal(err)
		}
		return w
	})
}

// headerRow is what one record should give.
type headerRow struct {
	record  int
	id      string
	hasID   bool
	context TraceContext
}

// headerRows collects what was read.
type headerRows []headerRow

func (r *headerRows) Record(h *RecordHeaders) {
	*r = append(*r, headerRow{h.Record, string(h.MessageID), h.MessageID != nil, h.Context})
}

func plenty() Budget { return Budget{Bytes: 16 << 20, Records: 1 << 20, Time: time.Hour} }

func traceparentOf(c TraceContext) string {
	return fmt.Sprintf("00-%x-%x-%02x", c.TraceID, c.SpanID, c.Flags)
}

func randomContext(r *rand.Rand) TraceContext {
	c := TraceContext{TraceID: randomID(r), Flags: byte(r.IntN(4))}
	binary.BigEndian.PutUint64(c.SpanID[:], r.Uint64()|1)
	return c
}

// encodeRecords is the records field of a batch, uncompressed.
func encodeRecords(records []testRecord) []byte {
	return makeBatch(0, records)[BatchHeaderSize:]
}

// randomRecords have keys and values of up to most bytes, and headers: ids,
// contexts, both, several of one name, others of the same length.
func randomRecords(r *rand.Rand, n, most int) (records []testRecord, want headerRows) {
	for i := range n {
		rec := testRecord{key: make([]byte, r.IntN(9)), value: make([]byte, r.IntN(most))}
		for j := range rec.value {
			rec.value[j] = "abcdefgh"[r.IntN(8)]
		}
		row := headerRow{record: i}
		for range r.IntN(5) {
			switch r.IntN(5) {
			case 0:
				rec.headers = append(rec.headers, [2]string{"zz", "other"}, [2]string{"traceparenT", "x"}, [2]string{"", ""})
			case 1:
				row.id, row.hasID = fmt.Sprint("m-", r.IntN(1e6)), true
				rec.headers = append(rec.headers, [2]string{"id", row.id})
			case 2:
				row.context = randomContext(r)
				rec.headers = append(rec.headers, [2]string{"traceparent", traceparentOf(row.context)})
			case 3:
				row.context = TraceContext{}
				rec.headers = append(rec.headers, [2]string{"traceparent", "00-broken"})
			case 4:
				row.id, row.hasID = "", false
				rec.headers = append(rec.headers, [2]string{"id", string(make([]byte, MaxMessageIDBytes+1))})
			}
		}
		records = append(records, rec)
		if row.hasID || row.context != (TraceContext{}) {
			want = append(want, row)
		}
	}
	return records, want
}

func TestReadHeaders(t *testing.T) {
	r := newRand(t, 21)
	h := &HeaderReader{MessageID: "id", Contexts: true}
	for i := range 200 {
		most := []int{20, 2000, 40_000}[r.IntN(3)]
		records, want := randomRecords(r, 1+r.IntN(30), most)
		plain := encodeRecords(records)
		for _, c := range testCodecs {
			var got headerRows
			b := plenty()
			if err := h.Read(&b, c.attributes|0x30, int32(len(records)), c.compress(t, plain), &got); err != nil {
				t.Fatalf("%s, %d bytes: %v", c.name, len(plain), err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("%d %s: %+v\nwant %+v", i, c.name, got, want)
			}
		}
	}
}

// What is cut short gives what was before the cut, and says so.
func TestCutShort(t *testing.T) {
	r := newRand(t, 23)
	records, want := randomRecords(r, 60, 3000)
	plain := encodeRecords(records)
	h := &HeaderReader{MessageID: "id", Contexts: true}
	for _, c := range testCodecs {
		b := c.compress(t, plain)
		most := 0
		for range 200 {
			cut := r.IntN(len(b))
			if c.name == "gzip" || c.name == "zstd" {
				cut = min(cut, len(b)-9) // without the checksum all is there
			}
			var got headerRows
			budget := plenty()
			err := h.Read(&budget, c.attributes, int32(len(records)), b[:cut], &got)
			if len(got) > len(want) || !reflect.DeepEqual(got, append(headerRows(nil), want[:len(got)]...)) {
				t.Fatalf("%s cut at %d of %d: %+v", c.name, cut, len(b), got)
			}
			if !errors.Is(err, ErrMalformed) && len(got) < len(want) {
				t.Fatalf("%s cut at %d of %d: %v with %d of %d", c.name, cut, len(b), err, len(got), len(want))
			}
			most = max(most, len(got))
		}
		if c.name == "none" && most == 0 {
			t.Error("nothing before the cut was read")
		}
	}
}

func TestBudget(t *testing.T) {
	records := make([]testRecord, 1000)
	for i := range records {
		records[i] = testRecord{value: make([]byte, 5000), headers: [][2]string{{"id", fmt.Sprint(i)}}}
	}
	plain := encodeRecords(records)
	h := &HeaderReader{MessageID: "id"}
	var now int64
	for _, c := range testCodecs {
		b := c.compress(t, plain)
		for _, x := range []struct {
			name   string
			budget Budget
			clock  func() int64
		}{
			{"bytes", Budget{Bytes: 1000, Records: 1 << 20, Time: time.Hour}, nil},
			{"records", Budget{Bytes: 16 << 20, Records: 10, Time: time.Hour}, nil},
			{"time", Budget{Bytes: 16 << 20, Records: 1 << 20, Time: time.Microsecond}, func() int64 { now += 600; return now }},
			{"no time", Budget{Bytes: 16 << 20, Records: 1 << 20}, func() int64 { now++; return now }},
		} {
			h.Clock = x.clock
			var got headerRows
			budget := x.budget
			err := h.Read(&budget, c.attributes, int32(len(records)), b, &got)
			whole := c.name == "snappy" || c.name == "lz4-4MiB" // one block: the clock is seen after it
			if all := len(got) == len(records); all != (err == nil) || all && !(whole && x.name == "time") || err != nil && !errors.Is(err, ErrBudget) {
				t.Errorf("%s, %s: %v, %d read", c.name, x.name, err, len(got))
			}
			const unit = MaxMessageIDBytes + 2
			if spent := x.budget.Bytes - budget.Bytes; spent > x.budget.Bytes+unit || x.name == "records" && len(got) != 10 {
				t.Errorf("%s, %s: %d bytes, %d records", c.name, x.name, spent, len(got))
			}
		}
	}
}
