package observe

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// recording is the demo's, unpacked.
func recording(t *testing.T) string {
	t.Helper()
	in, err := os.Open(deployed(t, "lab", "testdata", "demo.pcapng.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "demo.pcapng")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, z); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}
