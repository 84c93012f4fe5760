package sidecar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/segment"
)

// segments is a log dir with the recording of how it was written.
const segments = "segment/testdata/kafka-4.1.1"

// writtenDown is a copy of that log dir, and the recording.
func writtenDown(t testing.TB) (dir, recording string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(segments)); err != nil {
		t.Fatal(err)
	}
	recording = filepath.Join(dir, "recording.pcapng")
	unpackTo(t, recording+".gz", recording)
	return dir, recording
}

func verified(t testing.TB, recording, format string, dirs ...string) (report.Verification, string, error) {
	t.Helper()
	var out bytes.Buffer
	s, err := New(Options{Config: config.Config{LogDirs: dirs, Format: format, Print: "none"}, Stdout: &out,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.Verify(context.Background(), recording)
	return v, out.String(), err
}

// TestVerify: every batch of the recording stands where it was written, but
// for those that the cleaner took away.
func TestVerify(t *testing.T) {
	dir, recording := writtenDown(t)
	v, out, err := verified(t, recording, "table", dir)
	if err != nil {
		t.Fatal(err)
	}
	compacted := v.Reasons["compacted"]
	if v.Requests != 34 || v.Joined != 34 || v.Exact != 34 || v.Wrong != 0 || v.Verified != 34-compacted || v.Unverifiable != compacted ||
		compacted == 0 || compacted > 3 || v.Rewritten != 15 {
		t.Errorf("%+v", v)
	}
	if !strings.Contains(out, "wrong                  0\n") || !strings.Contains(out, "compacted 3") {
		t.Error(out)
	}
}

// TestVerifyWrong: what is wrong with the bytes, or with the recording, is
// found.
func TestVerifyWrong(t *testing.T) {
	clients, gzipped := "clients-0/00000000000000000000.log", "by-gzip-0/00000000000000000000.log"
	for name, c := range map[string]struct {
		wrong  uint64
		change func(dir string, clients, gzipped []byte) ([]byte, []byte)
	}{
		"a byte of a record":    {1, func(_ string, a, b []byte) ([]byte, []byte) { a[300] ^= 4; return a, b }},
		"a byte of the header":  {1, func(_ string, a, b []byte) ([]byte, []byte) { a[7] ^= 4; return a, b }},
		"a byte was put in":     {3, func(_ string, a, b []byte) ([]byte, []byte) { return a, append([]byte{1}, b...) }},
		"files changed places":  {6, func(_ string, a, b []byte) ([]byte, []byte) { return b, a }},
		"a batch was taken out": {2, func(_ string, a, b []byte) ([]byte, []byte) { return a, b[194:] }},
	} {
		dir, recording := writtenDown(t)
		read := func(file string) []byte {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		a, b := c.change(dir, read(clients), read(gzipped))
		if err := errors.Join(os.WriteFile(filepath.Join(dir, clients), a, 0o644), os.WriteFile(filepath.Join(dir, gzipped), b, 0o644)); err != nil {
			t.Fatal(err)
		}
		v, out, err := verified(t, recording, "jsonl", dir)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out), "\n")
		var row report.WrongRow
		if err := json.Unmarshal([]byte(lines[0]), &row); err != nil {
			t.Fatal(err)
		}
		if v.Wrong < c.wrong || len(lines) != int(v.Wrong)+1 || row.Why == "" || row.Expected.Bytes == 0 {
			t.Errorf("%s: %d wrong, want at least %d\n%s", name, v.Wrong, c.wrong, out)
		}
	}
}

// TestVerifyNothing: no requests, or none that is joined.
func TestVerifyNothing(t *testing.T) {
	dir, _ := writtenDown(t)
	for port, requests := range map[int]bool{1: false, 29192: true} {
		var out bytes.Buffer
		s, err := New(Options{Config: config.Config{LogDirs: []string{dir}, Port: port}, Stdout: &out, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Verify(context.Background(), "capture/testdata/kafka-4.1.1.pcapng")
		if !errors.Is(err, ErrNothing) || v.Joined != 0 || (v.Requests > 0) != requests {
			t.Errorf("%+v, %v", v, err)
		}
	}
}

// TestVerifyCut: of a recording that is cut off, what there is is told, and
// that it was cut.
func TestVerifyCut(t *testing.T) {
	dir, recording := writtenDown(t)
	b, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recording, b[:len(b)*3/4], 0o644); err != nil {
		t.Fatal(err)
	}
	v, out, err := verified(t, recording, "jsonl", dir)
	if err == nil || v.Verified == 0 || v.Wrong != 0 || !strings.Contains(out, `"requests":`) {
		t.Errorf("%+v, %v\n%s", v, err, out)
	}
}

// TestVerifyOtherDirs: a log dir that is not the recorded broker's.
func TestVerifyOtherDirs(t *testing.T) {
	dir, _ := writtenDown(t)
	v, _, err := verified(t, unpack(t), "table", dir)
	if err != nil || v.Joined == 0 || v.Unverifiable != v.Joined || v.Reasons["not in the log dirs given"] != v.Joined {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestVerifyLearns: topics are learned on one goroutine, rows proved on
// another (the race detector looks on); of two ids of a name the first counts.
func TestVerifyLearns(t *testing.T) {
	v, err := newVerifier([]string{segments}, io.Discard, "table")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range byte(200) {
			v.learn(1, [16]byte{1 + i}, "orders")
			v.learn(0, [16]byte{1 + i}, "any")
		}
	}()
	for range 200 {
		v.topicID(1, "orders")
	}
	<-done
	if a, b, c := v.topicID(1, "orders"), v.topicID(7, "any"), v.topicID(2, "orders"); a[0] != 1 || b[0] != 1 || c[0] != 0 {
		t.Errorf("%v %v %v", a, b, c)
	}
}

// BenchmarkVerify is a replay with every joined row proved.
func BenchmarkVerify(b *testing.B) {
	dir, recording := writtenDown(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := verified(b, recording, "table", dir); err != nil {
			b.Fatal(err)
		}
	}
}

// ids collects message ids.
type ids []string

func (m *ids) Record(h *kafka.RecordHeaders) { *m = append(*m, string(h.MessageID)) }

// TestJoinedIDs: the message ids of a joined row are those of the records that
// stand at its place, of whatever codec.
func TestJoinedIDs(t *testing.T) {
	dir, recording := writtenDown(t)
	out, _ := replayed(t, recording, config.Config{Print: "joined", MessageIDHeader: "message-id"})
	codecs := map[string]int{}
	for line := range strings.Lines(out) {
		var row assemble.JoinedRow
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		if row.Topic == "compacted" {
			continue // the cleaner took records away
		}
		f, err := segment.Open(filepath.Join(dir, row.File))
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Batch(row.Offset)
		if err != nil {
			t.Fatal(err)
		}
		var stored ids
		budget := kafka.Budget{Bytes: 1 << 20, Records: 100, Time: time.Minute}
		err = f.Headers(b, &kafka.HeaderReader{MessageID: "message-id"}, &budget, &stored)
		if err != nil || len(stored) != 3 || !slices.Equal(stored, row.MessageIDs) {
			t.Errorf("%s at %d: %v on disk, %v joined, %v", row.File, row.Offset, stored, row.MessageIDs, err)
		}
		f.Close()
		codecs[kafka.Codec(b.Attributes)]++
	}
	if len(codecs) != 5 {
		t.Errorf("codecs %v, want all five", codecs)
	}
}
