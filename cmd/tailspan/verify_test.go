package main

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVerifyExitCodes: 0 where all joins hold, 1 where one byte is another.
func TestVerifyExitCodes(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../sidecar/segment/testdata/kafka-4.1.1")); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "recording.pcapng.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	recording := filepath.Join(dir, "recording.pcapng")
	if err := os.WriteFile(recording, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := tailspan(t, "verify", recording, "--log-dir", dir); code != 0 || !strings.Contains(out, "verified") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	segment := filepath.Join(dir, "by-zstd-0", "00000000000000000000.log")
	if b, err = os.ReadFile(segment); err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(segment, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, code := tailspan(t, "verify", recording, "--log-dir", dir); code != 1 || !strings.Contains(out, "wrong: by-zstd-0/") || !strings.Contains(out, "checksum") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
}
