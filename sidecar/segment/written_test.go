package segment

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestWritten: every batch of the fixture is found where it was written, and
// no other batch is taken for it.
func TestWritten(t *testing.T) {
	l := logs(t, fixture)
	n := 0
	for _, c := range claims(t) {
		n++
		if _, b, err := l.Written(c.File, c.Offset, c.Written); err != nil || b.Position != c.Offset {
			t.Errorf("%s at %d: %+v, %v", c.File, c.Offset, b, err)
		}
		for what, change := range map[string]func(*Header){
			"offset": func(h *Header) { h.BaseOffset++ }, "length": func(h *Header) { h.Bytes++ }, "crc": func(h *Header) { h.CRC++ },
		} {
			other := c.Written
			change(&other)
			if _, _, err := l.Written(c.File, c.Offset, other); err == nil {
				t.Errorf("%s at %d: found with another %s", c.File, c.Offset, what)
			}
		}
		if _, _, err := l.Written(c.File, c.Offset+1, c.Written); err == nil {
			t.Errorf("%s at %d: found one further", c.File, c.Offset)
		}
	}
	if n < 10 {
		t.Errorf("%d batches", n)
	}
	if _, _, err := l.Written("../clients-0/00000000000000000000.log", 0, Header{}); err == nil {
		t.Error("a file that is no partition's")
	}
	if _, _, err := l.Written(Name("none", 0, 0), 0, Header{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, _, err := l.Written(Name("clients", 0, 0), 0, Header{Bytes: maxWritten + 1}); !errors.Is(err, ErrLarge) {
		t.Error(err)
	}
}

// TestWrittenAnew: a file that was kept open is not believed when another one
// has its name, nor bytes that are not those of the checksum.
func TestWrittenAnew(t *testing.T) {
	dir := copied(t)
	l := logs(t, dir)
	c := claims(t)[0]
	path := filepath.Join(dir, c.File)
	whole := read(t, path)
	find := func() error { _, _, err := l.Written(c.File, c.Offset, c.Written); return err }
	replace := func(b []byte) {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		write(t, path, b)
	}
	if err := find(); err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), whole...)
	damaged[c.Offset+int64(c.Written.Bytes)-1] ^= 1
	write(t, path, damaged) // in place
	if err := find(); !errors.Is(err, ErrChecksum) {
		t.Errorf("damaged: %v", err)
	}
	replace(whole)
	if err := find(); err != nil {
		t.Errorf("made anew: %v", err)
	}
	write(t, path, whole[:c.Offset+int64(c.Written.Bytes)-1])
	if err := find(); !errors.Is(err, ErrCut) {
		t.Errorf("truncated: %v", err)
	}
	replace(whole)
	if err := find(); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// TestCloseIdle: what is used stays open, the rest does not.
func TestCloseIdle(t *testing.T) {
	l := logs(t, fixture)
	used, idle := Name("clients", 0, 0), Name("stamped", 0, 0)
	for _, name := range []string{used, idle} {
		if _, err := l.Segment(l.Dirs[0], name); err != nil {
			t.Fatal(err)
		}
	}
	l.CloseIdle()
	if _, err := l.Segment(l.Dirs[0], used); err != nil || l.used.Len() != 2 {
		t.Fatalf("%d open, %v", l.used.Len(), err)
	}
	l.CloseIdle()
	if l.used.Len() != 1 || l.files[place{l.Dirs[0], used}] == nil {
		t.Errorf("%d open", l.used.Len())
	}
	l.CloseIdle()
	if l.used.Len() != 0 || len(l.files) != 0 {
		t.Errorf("%d open", l.used.Len())
	}
}
