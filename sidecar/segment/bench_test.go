package segment

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/kafka"
)

// grown is a segment of many batches of the fixture, with one index entry for
// all of 4 KiB, as brokers make it by default.
func grown(b *testing.B) (path string, size int64) {
	raw := read(b, filepath.Join(fixture, Name("stamped", 0, 0)))[:484]
	path = filepath.Join(b.TempDir(), "00000000000000000000.log")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var index []byte
	one := append([]byte(nil), raw...)
	for n := range 20_000 {
		put(one, uint64(3*n), 8)
		if _, err := f.Write(one); err != nil {
			b.Fatal(err)
		}
		if n%8 == 7 {
			var entry [indexEntry]byte
			put(entry[:4], uint64(3*n+2), 4)
			put(entry[4:], uint64(n*len(one)), 4)
			index = append(index, entry[:]...)
		}
	}
	write(b, path[:len(path)-len(logSuffix)]+indexSuffix, index)
	return path, int64(20_000 * len(one))
}

// put writes n bytes, big endian.
func put(b []byte, v uint64, n int) {
	for i := range n {
		b[i] = byte(v >> (8 * (n - 1 - i)))
	}
}

func grownFile(b *testing.B) (*File, int64) {
	path, size := grown(b)
	f, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	b.ReportAllocs()
	return f, size
}

// BenchmarkEach is the headers of 20,000 batches.
func BenchmarkEach(b *testing.B) {
	f, size := grownFile(b)
	b.SetBytes(size)
	for b.Loop() {
		n := 0
		if err := f.Each(0, math.MaxInt64, func(Batch) bool { n++; return true }); err != nil || n != 20_000 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkFind is one batch by its offset, with the index.
func BenchmarkFind(b *testing.B) {
	f, _ := grownFile(b)
	for i := int64(0); b.Loop(); i++ {
		if _, err := f.Find(i * 7919 % 60_000); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHeaders is the record headers of one batch of three records.
func BenchmarkHeaders(b *testing.B) {
	f, _ := grownFile(b)
	x, err := f.Batch(0)
	if err != nil {
		b.Fatal(err)
	}
	reader := &kafka.HeaderReader{MessageID: "message-id", Contexts: true}
	for b.Loop() {
		if err := f.Headers(x, reader, &kafka.Budget{Bytes: 1 << 20, Records: 100, Time: time.Second}, none{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProve is one joined row, its 500 bytes checked.
func BenchmarkProve(b *testing.B) {
	l := logs(b, fixture)
	all := claims(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if v := l.Prove(&all[i%len(all)]); v.Outcome != Verified {
			b.Fatal(v)
		}
	}
}

// BenchmarkWritten is one batch of 500 bytes, found and its checksum looked at.
func BenchmarkWritten(b *testing.B) {
	l := logs(b, fixture)
	all := claims(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := &all[i%len(all)]
		if _, _, err := l.Written(c.File, c.Offset, c.Written); err != nil {
			b.Fatal(err)
		}
	}
}
