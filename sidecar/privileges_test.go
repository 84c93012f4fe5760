package sidecar

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/rights"
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

// TestAttachAfterwards gives up what giveUp does, in a process of its own, and
// attaches a uprobe then: whatever manner of uprobes this kernel has, what was
// kept must do.
func TestAttachAfterwards(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to load programs")
	}
	const child = "SIDECAR_TEST_GIVE_UP"
	if os.Getenv(child) == "" {
		cmd := exec.Command("/proc/self/exe", "-test.run", "^TestAttachAfterwards$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		t.Logf("%s", out)
		if bytes.Contains(out, []byte(rights.ErrCgo.Error())) {
			t.Skip(rights.ErrCgo) // the binary that is shipped is static
		}
		if err != nil {
			t.Error(err)
		}
		return
	}
	l := &live{Sidecar: &Sidecar{log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}}
	var err error
	if l.kernel, err = bpf.Open(bpf.Options{RingSize: 1 << 16}); err != nil {
		t.Fatal(err)
	}
	defer l.kernel.Close()
	if err := l.attachOwn(); err != nil {
		t.Skip(err)
	}
	l.giveUp()
	held, err := rights.Held()
	if err != nil || !held.Has(rights.Attach) || held.Has(rights.Of(unix.CAP_NET_RAW)) {
		t.Fatalf("%v held, %v", held, err)
	}
	again := l.attachOwn() // as the governor does
	if err := errors.Join(again, l.attachOwn(), l.kernel.Trace(nobody), l.kernel.WatchDevice(1), l.kernel.Untrace(nobody)); err != nil {
		t.Error(err)
	}
}
