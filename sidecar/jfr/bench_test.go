package jfr

import (
	"io"
	"os"
	"strings"
	"testing"
)

// BenchmarkRead reads the fixture's events over and over, as one long file.
func BenchmarkRead(b *testing.B) {
	file, err := os.ReadFile("testdata/kafka-4.1.1-jdk17.json")
	if err != nil {
		b.Fatal(err)
	}
	text := string(file)
	from, to := strings.Index(text, "[")+1, strings.LastIndex(text, "]")
	piece := text[from:to]
	b.SetBytes(int64(len(piece)) + 1)
	b.ReportAllocs()
	r := io.MultiReader(strings.NewReader(text[:from]), &repeated{piece: piece, left: b.N}, strings.NewReader(text[to:]))
	n := 0
	b.ResetTimer()
	if _, err := Read(r, func(*Wait) error { n++; return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// repeated is piece again and again, with commas in between.
type repeated struct {
	piece, rest string
	left        int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.rest == "" {
		if r.left == 0 {
			return 0, io.EOF
		}
		if r.left--; r.left > 0 {
			r.rest = r.piece + ","
		} else {
			r.rest = r.piece
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
