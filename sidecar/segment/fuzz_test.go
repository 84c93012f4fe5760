package segment

import (
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// counted is a file that counts what is read of it, and sees reads beyond it.
type counted struct {
	b    []byte
	read int
	t    *testing.T
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		c.t.Fatalf("read at %d", at)
	}
	if at >= int64(len(c.b)) {
		return 0, io.EOF
	}
	n := copy(p, c.b[at:])
	c.read += n
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// none is told of records, and keeps nothing.
type none struct{}

func (none) Record(*kafka.RecordHeaders) {}

// fixed is what a walk may allocate, whatever the input: the buffer of the
// checksum, the codecs' windows and tables (zstd: 8 MiB), errors.
const fixed = 32 << 20

// FuzzSegment: what is found lies within the file, one batch behind the other;
// an error comes with nothing; memory and what is read are bounded by the
// file's size.
func FuzzSegment(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join(fixture, "*-*", "*.log"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, int64(0))
		f.Add(b, int64(3))
		f.Add(append(append(legacy(0, 1), b...), make([]byte, 100)...), int64(7))
	}
	f.Fuzz(func(t *testing.T, b []byte, offset int64) {
		src := &counted{b: b, t: t}
		s := &File{path: "fuzzed", r: src, scratch: new(scratch), size: func() (int64, error) { return int64(len(b)), nil }}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		walk(t, s, int64(len(b)))
		if src.read > 4*len(b)+headerSize {
			t.Errorf("%d bytes read of %d", src.read, len(b))
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(4*len(b)+fixed) {
			t.Errorf("%d bytes allocated for %d", n, len(b))
		}
		if got, err := s.Find(offset); err == nil && (got.BaseOffset > offset || got.LastOffset < offset) || err != nil && got != (Batch{}) {
			t.Errorf("find %d: %+v, %v", offset, got, err)
		}
		if got, err := s.Batch(offset); err != nil && got != (Batch{}) || err == nil && (offset < 0 || got.End() > int64(len(b))) {
			t.Errorf("at %d: %+v, %v", offset, got, err)
		}
		if got, err := s.Last(); err != nil && got != (Batch{}) {
			t.Errorf("last: %+v, %v", got, err)
		}
	})
}

// walk reads all of a segment: 4 times at most, its headers, its checksums, its
// records, and a header again where the next batch is none.
func walk(t *testing.T, s *File, size int64) {
	reader := &kafka.HeaderReader{MessageID: "message-id", Contexts: true}
	end := int64(0)
	err := s.Each(0, math.MaxInt64, func(b Batch) bool {
		if b.Position < end || b.End() > size || b.Length < headerSize || b.LastOffset < b.BaseOffset {
			t.Fatalf("%+v after %d of %d", b, end, size)
		}
		end = b.End()
		if err := s.Check(b); err != nil && !errors.Is(err, ErrChecksum) {
			t.Error(err)
		}
		budget := kafka.Budget{Bytes: 1 << 20, Records: 1 << 12, Time: time.Second}
		if err := s.Headers(b, reader, &budget, none{}); err != nil && !errors.Is(err, kafka.ErrBudget) && !errors.Is(err, kafka.ErrMalformed) {
			t.Error(err)
		}
		return true
	})
	if err != nil && !errors.Is(err, ErrCut) && !errors.Is(err, ErrNotBatch) {
		t.Error(err)
	}
}
