package stack

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const someSymbols = `ffffffff81000000 T _stext
ffffffff81000000 t first
ffffffff81000000 T well_known
ffffffff81000040 t __pfx_second
ffffffff81000050 t second.constprop.0.isra.0
ffffffff81000100 d data
ffffffff81000200 W weak.cold
ffffffff81000300 T _etext
ffffffffc0001000 t ext4_da_write_end	[ext4]
ffffffffc0000000 t jbd2_thing	[jbd2]
`

func TestParse(t *testing.T) {
	table, err := parse(strings.NewReader(someSymbols))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[uint64]string{
		0: "", 0xffffffff80ffffff: "",
		0xffffffff81000000: "well_known", 0xffffffff8100003f: "well_known",
		0xffffffff81000050: "second", 0xffffffff810001ff: "second", 0xffffffff81000200: "weak",
		0xffffffffc0000010: "jbd2_thing", 0xffffffffc0001fff: "ext4_da_write_end",
		0xffffffffc0001000 + maxFunction: "", // past the end of it
	} {
		if got := table.find(address); got != want {
			t.Errorf("%x is in %q, want %q", address, got, want)
		}
	}
}

func TestHidden(t *testing.T) {
	if _, err := parse(strings.NewReader("0000000000000000 T _stext\n0000000000000000 T schedule\n")); !errors.Is(err, ErrHidden) {
		t.Errorf("got %v, want %v", err, ErrHidden)
	}
	var log strings.Builder
	dir := t.TempDir()
	k := &Kernel{symbols: filepath.Join(dir, "none"), log: slog.New(slog.NewTextHandler(&log, nil))}
	for range 3 {
		if got := k.Function(0xffffffff81000000); got != "" {
			t.Errorf("a name out of nothing: %q", got)
		}
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("told %d times, want once", n)
	}
}

// A module that came later is found, but not by reading again for each address.
func TestModuleCame(t *testing.T) {
	dir := t.TempDir()
	k := &Kernel{symbols: filepath.Join(dir, "kallsyms"), modules: filepath.Join(dir, "modules")}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const late = 0xffffffffc0100010
	write("kallsyms", someSymbols)
	write("modules", "ext4 1\n")
	if got := k.Function(late); got != "" {
		t.Errorf("got %q before the module came", got)
	}
	write("kallsyms", someSymbols+"ffffffffc0100000 t xfs_ilock\t[xfs]\n")
	write("modules", "ext4 1\nxfs 1\n")
	if got := k.Function(late); got != "" {
		t.Errorf("read again at once: %q", got)
	}
	k.loaded = k.loaded.Add(-2 * reloadAfter)
	if got := k.Function(late); got != "xfs_ilock" {
		t.Errorf("got %q after the module came", got)
	}
}

// The running kernel's own table: complete, sorted and soon there.
func TestRunningKernel(t *testing.T) {
	k := NewKernel(nil)
	begun := time.Now()
	k.load()
	took := time.Since(begun)
	if len(k.table.functions) == 0 {
		t.Skip("no rights to see addresses")
	}
	t.Logf("%d functions, %d bytes of names, in %s", len(k.table.functions), len(k.table.names), took)
	seen := 0
	for _, f := range k.table.functions {
		if name := k.table.find(f.address); name == "vfs_write" || name == "schedule" {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("vfs_write and schedule are there %d times", seen)
	}
}

func BenchmarkLoad(b *testing.B) {
	text, err := os.ReadFile("/proc/kallsyms")
	if err != nil {
		b.Skip(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(strings.NewReader(string(text))); err != nil && !errors.Is(err, io.EOF) {
			b.Skip(err)
		}
	}
}
