package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// TestDump walks every segment and finds what DumpLogSegments found, and what
// kmsg reads of the same bytes.
func TestDump(t *testing.T) {
	codecs := map[string]int{}
	for file, want := range dump(t) {
		f, err := Open(filepath.Join(fixture, file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		raw := read(t, f.path)
		n := 0
		err = f.Each(0, math.MaxInt64, func(b Batch) bool {
			w := &want[n]
			w.Attributes = b.Attributes
			if b != w.Batch || kafka.Codec(b.Attributes) != w.codec {
				t.Errorf("%s: %+v, dumped %+v", file, b, *w)
			}
			if err := f.Check(b); err != nil {
				t.Error(err)
			}
			sameAsKmsg(t, b, raw[b.Position:b.End()])
			codecs[w.codec]++
			n++
			return true
		})
		if err != nil || n != len(want) || f.Unsupported != 0 {
			t.Errorf("%s: %d of %d batches, %v", file, n, len(want), err)
		}
	}
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		if codecs[codec] == 0 {
			t.Errorf("no batch with codec %s", codec)
		}
	}
}

func sameAsKmsg(t *testing.T, b Batch, raw []byte) {
	t.Helper()
	var k kmsg.RecordBatch
	if err := k.ReadFrom(raw); err != nil {
		t.Fatal(err)
	}
	if k.FirstOffset != b.BaseOffset || k.Length+12 != b.Length || k.PartitionLeaderEpoch != b.LeaderEpoch || uint32(k.CRC) != b.CRC ||
		k.FirstOffset+int64(k.LastOffsetDelta) != b.LastOffset || k.NumRecords != b.Records || k.FirstSequence != b.BaseSequence {
		t.Errorf("%+v, kmsg %+v", b, k)
	}
}

// rows collects what Headers hands over.
type rows []string

func (r *rows) Record(h *kafka.RecordHeaders) {
	*r = append(*r, fmt.Sprintf("%d %s %x", h.Record, h.MessageID, h.Context.SpanID))
}

// TestHeaders: the generator gave record i of batch n the id NAME-n-i and the
// span 16n+i+1. Control batches have no headers.
func TestHeaders(t *testing.T) {
	reader := &kafka.HeaderReader{MessageID: "message-id", Contexts: true}
	total := 0
	for file, batches := range dump(t) {
		f, err := Open(filepath.Join(fixture, file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, d := range batches {
			b, err := f.Batch(d.Position)
			if err != nil {
				t.Fatal(err)
			}
			var got rows
			if err := f.Headers(b, reader, &kafka.Budget{Bytes: 1 << 20, Records: 1 << 10, Time: time.Second}, &got); err != nil {
				t.Errorf("%s at %d, %s: %v", file, b.Position, d.codec, err)
			}
			want := 0
			for _, keys := range d.keys {
				if keys == "[traceparent,message-id,empty]" {
					want++
				}
			}
			if len(got) != want {
				t.Errorf("%s at %d: %q, %d records with headers", file, b.Position, got, want)
			}
			for i, row := range got {
				var index, n, k int
				var span uint64
				var name string
				if _, err := fmt.Sscanf(row, "%d %s %x", &index, &name, &span); err != nil {
					t.Fatal(err)
				}
				_, err := fmt.Sscanf(name[len(name)-4:], "-%d-%d", &n, &k)
				if err != nil || index != i || span != uint64(16*n+k+1) {
					t.Errorf("%s at %d: %q", file, b.Position, row)
				}
			}
			total += len(got)
		}
	}
	if total < 60 {
		t.Errorf("%d records", total)
	}
}

// TestEnds: what may stand behind the last batch.
func TestEnds(t *testing.T) {
	raw := read(t, filepath.Join(fixture, Name("clients", 0, 30)))
	end := int64(len(raw))
	for _, c := range []struct {
		name string
		b    []byte
		at   int64
		want error
	}{
		{"the end", raw, end, ErrEnd},
		{"behind it", raw, end + 1, ErrEnd},
		{"preallocated", append(raw[:end:end], make([]byte, 500)...), end, ErrEnd},
		{"a few zeros", append(raw[:end:end], 0, 0), end, ErrEnd},
		{"half a header", append(raw[:end:end], raw[:30]...), end, ErrCut},
		{"some bytes", append(raw[:end:end], raw[:12]...), end, ErrCut},
		{"half a batch", append(raw[:end:end], raw[:100]...), end, ErrCut},
		{"before it", raw, -1, ErrNotBatch},
		{"within a batch", raw, 3, ErrNotBatch},
	} {
		f := inMemory(c.b)
		if b, err := f.Batch(c.at); !errors.Is(err, c.want) || b != (Batch{}) {
			t.Errorf("%s: %+v, %v", c.name, b, err)
		}
	}
}

// TestGrowing reads on where a file grows, and says so where it shrinks.
func TestGrowing(t *testing.T) {
	raw := read(t, filepath.Join(fixture, Name("clients", 0, 0)))
	path := filepath.Join(t.TempDir(), "00000000000000000000.log")
	batches := dump(t)[Name("clients", 0, 0)]
	cut := batches[2].Position + 80
	write(t, path, raw[:cut])
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Batch(batches[2].Position); !errors.Is(err, ErrCut) {
		t.Error(err)
	}
	write(t, path, raw)
	b, err := f.Batch(batches[2].Position)
	if err != nil || f.Check(b) != nil {
		t.Error(err)
	}
	write(t, path, raw[:cut])
	if err := f.Check(b); !errors.Is(err, ErrCut) {
		t.Error(err)
	}
}

// legacy is a message of magic 0 or 1 (the message set of Kafka 0.x).
func legacy(magic byte, offset int64) []byte {
	body := []byte{magic, 0}
	if magic == 1 {
		body = binary.BigEndian.AppendUint64(body, 1_700_000_000_000)
	}
	body = append(body, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 3, 'a', 'b', 'c') // no key, a value
	b := binary.BigEndian.AppendUint64(nil, uint64(offset))
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)+4))
	return append(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body)), body...)
}

func TestOlderFormats(t *testing.T) {
	raw := read(t, filepath.Join(fixture, Name("clients", 0, 0)))
	var mixed []byte
	for i := range 3 {
		mixed = append(append(mixed, legacy(0, int64(i))...), legacy(1, int64(i))...)
	}
	f := inMemory(append(mixed, raw...))
	n := 0
	if err := f.Each(0, math.MaxInt64, func(Batch) bool { n++; return true }); err != nil || n != len(dump(t)[Name("clients", 0, 0)]) || f.Unsupported != 6 {
		t.Errorf("%d batches, %d unsupported, %v", n, f.Unsupported, err)
	}
	var old *MagicError
	if b, err := f.Batch(0); !errors.As(err, &old) || b != (Batch{}) {
		t.Errorf("%+v, %v", b, err)
	}
	if _, err := inMemory(legacy(1, 0)[:20]).Batch(0); !errors.Is(err, ErrCut) {
		t.Error(err)
	}
}
