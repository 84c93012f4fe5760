package segment

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOnlyPartitions: copies hold the same bytes, links may lead anywhere.
func TestOnlyPartitions(t *testing.T) {
	for _, file := range []string{
		"clients-0.3a4f1e5c0a8b4f7d8a0e3f4b5c6d7e8f-future/00000000000000000000.log", "clients-0-delete/00000000000000000000.log",
		"clients-0/../clients-0/00000000000000000000.log", "../clients-0/00000000000000000000.log", "clients-0/00000000000000000000.log.deleted",
		"clients-0/00000000000000000000.index", "clients-0/0.log", "clients-0/-0000000000000000001.log", "clients-00/00000000000000000000.log", "",
	} {
		if dir, ok := partitionOf(file); ok {
			t.Errorf("%q: %s", file, dir)
		}
	}
	dir := t.TempDir()
	link := filepath.Join(dir, "00000000000000000000.log")
	if err := os.Symlink("/etc/passwd", link); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(link); err == nil {
		t.Error("a link was followed")
	}
	if _, err := OpenLogs(dir); err == nil {
		t.Error("a directory without partitions is no log dir")
	}
}

// TestFewOpen: there are never more files open than the bound.
func TestFewOpen(t *testing.T) {
	dir := t.TempDir()
	raw := read(t, filepath.Join(fixture, Name("clients", 0, 30)))
	for i := range 3 * maxOpen {
		path := filepath.Join(dir, Name("orders", int32(i), 30))
		if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, path, raw)
	}
	l := logs(t, dir)
	for range 2 {
		for i := range 3 * maxOpen {
			f, err := l.Segment(l.Dirs[0], Name("orders", int32(i), 30))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := f.Batch(0); err != nil || b.BaseOffset != 30 {
				t.Fatal(err)
			}
			if l.used.Len() > maxOpen || len(l.files) != l.used.Len() {
				t.Fatalf("%d and %d files", l.used.Len(), len(l.files))
			}
		}
	}
}
