package bpf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clangMajor is the compiler that the committed objects were made with; another
// one makes other bytes of the same source.
const clangMajor = "14"

// TestGenerate compiles the programs anew, by the very line of gen.go, and
// wants what is committed.
func TestGenerate(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the programs")
	}
	out, err := exec.Command("clang", "--version").Output()
	if err != nil {
		t.Skip("no clang to regenerate with")
	}
	if !strings.Contains(string(out), "clang version "+clangMajor+".") {
		first, _, _ := strings.Cut(string(out), "\n")
		t.Skipf("the objects were made by clang %s, here is %s", clangMajor, first)
	}
	if _, err := exec.LookPath("llvm-strip"); err != nil {
		t.Skip("no llvm-strip to regenerate with")
	}
	if _, err := os.Stat("/usr/include/bpf/bpf_helpers.h"); err != nil {
		t.Skip("no libbpf headers to regenerate with")
	}
	dir := t.TempDir()
	cmd := exec.Command("go", generateLine(t, dir)...)
	cmd.Env = append(os.Environ(), "GOPACKAGE=bpf")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	made, err := filepath.Glob(filepath.Join(dir, "probes_*"))
	if err != nil || len(made) != 4 {
		t.Fatalf("made %q, %v", made, err)
	}
	for _, file := range made {
		fresh, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		old, err := os.ReadFile(filepath.Base(file))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fresh, old) {
			t.Errorf("%s is not what its source makes: run go generate ./bpf", filepath.Base(file))
		}
	}
}

// generateLine is gen.go's command, but with its output going to dir.
func generateLine(t *testing.T, dir string) []string {
	src, err := os.ReadFile("gen.go")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(string(src), "//go:generate go ")
	if !ok {
		t.Fatal("gen.go generates nothing")
	}
	line, _, _ = strings.Cut(line, "\n")
	args := strings.Fields(line)
	return append(args[:2:2], append([]string{"-output-dir", dir}, args[2:]...)...)
}
