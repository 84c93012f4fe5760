package segment

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestFind looks for every offset of every segment: with the real index, with
// none, with one of zeros at its end as the active segment has it, with a
// wrong one.
func TestFind(t *testing.T) {
	dir := copied(t)
	all := dump(t)
	indexes := map[string]func(path string, b []byte){
		"real":         func(string, []byte) {},
		"preallocated": func(path string, b []byte) { write(t, path, append(b, make([]byte, 4096)...)) },
		"wrong": func(path string, b []byte) {
			write(t, path, []byte("\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x01\x7f\x00\x00\x00"))
		},
		"cut":  func(path string, b []byte) { write(t, path, b[:len(b)/2]) },
		"none": func(path string, b []byte) { os.Remove(path) },
	}
	for kind, change := range indexes {
		for file, batches := range all {
			path := filepath.Join(dir, file)
			index := path[:len(path)-len(logSuffix)] + indexSuffix
			real := read(t, filepath.Join(fixture, file[:len(file)-len(logSuffix)]+indexSuffix))
			write(t, index, real)
			change(index, real)
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			mustFind(t, kind+" index of "+file, f, batches)
			f.Close()
		}
	}
}

func mustFind(t *testing.T, what string, f *File, batches []dumped) {
	t.Helper()
	next := batches[0].BaseOffset
	for i := range batches {
		b := &batches[i]
		for ; next < b.BaseOffset; next++ {
			if got, err := f.Find(next); !errors.Is(err, ErrNotFound) || got != (Batch{}) {
				t.Errorf("%s: offset %d in a gap: %+v, %v", what, next, got, err)
			}
		}
		for ; next <= b.LastOffset; next++ {
			if got, err := f.Find(next); err != nil || got.Position != b.Position {
				t.Errorf("%s: offset %d: %+v, %v", what, next, got, err)
			}
		}
	}
	if _, err := f.Find(next); !errors.Is(err, ErrNotFound) {
		t.Errorf("%s: offset %d behind the end: %v", what, next, err)
	}
	if last, err := f.Last(); err != nil || last.Position != batches[len(batches)-1].Position {
		t.Errorf("%s: last %+v, %v", what, last, err)
	}
}
