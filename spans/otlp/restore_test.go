package otlp

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// leftOver is a directory in which an earlier process left one segment of a
// hundred traces; it returns the segment's path and where its first records end.
func leftOver(t *testing.T, addr string) (dir, path string, ends []int) {
	t.Helper()
	dir = t.TempDir()
	e, _ := connect(t, addr, Options{Dir: dir, Version: "1"})
	give(t, e, 0, 100)
	if err := flush(e, time.Second); err != nil {
		t.Fatal(err)
	}
	names, _ := files(t, dir)
	if len(names) != 1 {
		t.Fatal(names)
	}
	_, ends = encoded(t, 100)
	for i := range ends {
		ends[i] += segmentHeader
	}
	return dir, names[0], ends
}

// TestDamagedSegments: whatever is wrong with a file, what is whole is sent,
// what is not is counted, once, and nothing of it is there for a third process.
func TestDamagedSegments(t *testing.T) {
	unsealed := func(b []byte) []byte { // as a SIGKILL leaves it
		copy(b[8:], make([]byte, segmentHeader-8))
		return b
	}
	for _, c := range []struct {
		name                    string
		damage                  func(b []byte, ends []int) []byte
		exported, torn, corrupt Count
		restored                uint64
		left                    int // files
		errors                  uint64
	}{
		{"none", func(b []byte, _ []int) []byte { return b }, Count{Traces: 100, Spans: 500}, Count{}, Count{}, 100, 0, 0},
		{"not sealed", func(b []byte, _ []int) []byte { return unsealed(b) }, Count{Traces: 100, Spans: 500}, Count{}, Count{}, 100, 0, 0},
		{"torn", func(b []byte, ends []int) []byte { return unsealed(b)[:ends[41]+100] }, Count{Traces: 42, Spans: 210}, Count{Traces: 1, Spans: 5}, Count{}, 43, 0, 0},
		{"torn in a header", func(b []byte, ends []int) []byte { return unsealed(b)[:ends[41]+7] }, Count{Traces: 42, Spans: 210}, Count{Traces: 1, Spans: 0}, Count{}, 43, 0, 0},
		{"zeroes at the end", func(b []byte, ends []int) []byte {
			return append(unsealed(b)[:ends[41]], make([]byte, 5000)...)
		}, Count{Traces: 42, Spans: 210}, Count{Traces: 1, Spans: 0}, Count{}, 43, 0, 0},
		{"a payload is damaged", func(b []byte, ends []int) []byte { b[ends[41]+100] ^= 1; return b }, Count{Traces: 99, Spans: 495}, Count{}, Count{Traces: 1, Spans: 5}, 100, 0, 0},
		{"the last payload is damaged", func(b []byte, ends []int) []byte { b[ends[98]+100] ^= 1; return b }, Count{Traces: 99, Spans: 495}, Count{}, Count{Traces: 1, Spans: 5}, 100, 0, 0},
		{"a payload is damaged, not sealed", func(b []byte, ends []int) []byte { b[ends[41]+100] ^= 1; return unsealed(b) }, Count{Traces: 99, Spans: 495}, Count{}, Count{Traces: 1, Spans: 5}, 100, 0, 0},
		{"a header is damaged", func(b []byte, ends []int) []byte { b[ends[41]+1] ^= 1; return b }, Count{Traces: 42, Spans: 210}, Count{}, Count{Traces: 58, Spans: 290}, 100, 0, 0},
		{"cut after it was sealed", func(b []byte, ends []int) []byte { return b[:ends[41]+100] }, Count{Traces: 42, Spans: 210}, Count{}, Count{Traces: 58, Spans: 290}, 100, 0, 0},
		{"the file's header is damaged", func(b []byte, _ []int) []byte { b[20] ^= 1; return b }, Count{Traces: 100, Spans: 500}, Count{}, Count{}, 100, 0, 0},
		{"the file's header is zero", func(b []byte, _ []int) []byte { clear(b[:segmentHeader]); return b }, Count{}, Count{Traces: 1, Spans: 0}, Count{}, 1, 0, 0},
		{"nothing but a header", func(b []byte, _ []int) []byte { return unsealed(b)[:segmentHeader] }, Count{}, Count{}, Count{}, 0, 0, 0},
		{"empty", func([]byte, []int) []byte { return nil }, Count{}, Count{}, Count{}, 0, 0, 0},
		{"somebody else's", func([]byte, []int) []byte { return bytes.Repeat([]byte("x"), 1000) }, Count{}, Count{}, Count{}, 0, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := freePort(t)
			dir, path, ends := leftOver(t, addr)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.damage(b, ends), 0o600); err != nil {
				t.Fatal(err)
			}
			// The first that finds it has no collector.
			e, _ := connect(t, addr, Options{Dir: dir})
			flush(e, time.Second)
			s := e.Stats()
			balanced(t, s)
			if s.Torn != c.torn || s.Restored.Traces != c.restored || s.Disk.Errors != c.errors {
				t.Errorf("%+v", s)
			}
			col := listen(t, addr)
			e, _ = connect(t, addr, Options{Dir: dir})
			if err := flush(e, 10*time.Second); err != nil {
				t.Fatal(err)
			}
			s2 := e.Stats()
			balanced(t, s2)
			if s2.Exported != c.exported || uint64(len(col.traces())) != c.exported.Traces || s2.Torn != (Count{}) ||
				s2.Corrupt.plus(s.Corrupt) != c.corrupt || s2.Disk.Bytes != 0 {
				t.Errorf("%d arrived, %+v", len(col.traces()), s2)
			}
			if names, _ := files(t, dir); len(names) != c.left {
				t.Errorf("left: %v", names)
			}
		})
	}
}

// Names that are not a segment's are not looked at, and no device or pipe that
// somebody put there is opened.
func TestOtherFilesAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"1.traces", "a.traces", "00000000000000000001.txt", "notes"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "00000000000000000002.traces")); err != nil {
		t.Fatal(err)
	}
	e, log := connect(t, freePort(t), Options{Dir: dir})
	give(t, e, 0, 1)
	flush(e, time.Second)
	s := e.Stats()
	balanced(t, s)
	if left, _ := os.ReadDir(dir); len(left) != 7 || s.Disk.Errors != 0 || s.Restored != (Count{}) {
		t.Errorf("%v, %+v\n%s", left, s, log)
	}
}
