package sidecar

import (
	"bytes"
	"io"
	"os"
	"reflect"
	"testing"
	"unsafe"
)

// TestOwnSite: the trial's place in the file holds the code of the function.
func TestOwnSite(t *testing.T) {
	site, err := ownSite()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	inFile := make([]byte, 16)
	if _, err := io.ReadFull(io.NewSectionReader(exe, int64(site.FileOffset), 16), inFile); err != nil {
		t.Fatal(err)
	}
	at := reflect.ValueOf(uncalled).UnsafePointer()
	if inMemory := unsafe.Slice((*byte)(at), 16); !bytes.Equal(inFile, inMemory) {
		t.Errorf("% x in the file, % x in memory", inFile, inMemory)
	}
}
