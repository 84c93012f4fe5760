package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain runs the command itself where a test asks for it.
func TestMain(m *testing.M) {
	if os.Getenv("BE_TAILSPAN") == "1" {
		os.Exit(command(os.Args[1:]))
	}
	os.Exit(m.Run())
}

// tailspan runs the command and returns what it printed and its exit code.
func tailspan(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "BE_TAILSPAN=1", "OTEL_TRACES_EXPORTER=none")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestExitCodes(t *testing.T) {
	segments := "../../sidecar/segment/testdata/kafka-4.1.1"
	plain := "../../sidecar/capture/testdata/kafka-4.1.1.pcapng"
	cut := filepath.Join(t.TempDir(), "cut.pcapng")
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cut, b[:len(b)/2+1], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args string
		code int
		says string // on stderr
	}{
		{"", 64, "usage"},
		{"help", 0, ""},
		{"version", 0, ""},
		{"run -h", 0, "-slo"},
		{"fly", 64, `no command "fly"`},
		{"run --print all", 64, "--print all"},
		{"run --log-level loud", 64, "--log-level loud"},
		{"replay", 64, "name a recording"},
		{"replay /does/not/exist", 1, "/does/not/exist"},
		{"replay main_test.go", 1, "main_test.go"},
		{"replay " + plain, 0, ""},
		{"replay " + cut, 1, "ends within a block"},
		{"run --pid 999999999", 2, "nothing can be traced"},
		{"verify", 64, "name a recording"},
		{"verify " + plain, 64, "--log-dir"},
		{"verify " + plain + " --log-dir /does/not/exist", 1, "/does/not/exist"},
		{"verify " + plain + " --log-dir ../../cmd", 1, "log.dirs"},
		{"verify /does/not/exist --log-dir " + segments, 1, "/does/not/exist"},
		{"verify " + plain + " --log-dir " + segments, 2, "no produce request"},
		{"verify a b --log-dir " + segments, 64, "one recording"},
		{"verify -h", 0, "-log-dir"},
	} {
		_, stderr, code := tailspan(t, strings.Fields(c.args)...)
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%q: exit code %d, want %d, and %q in %q", c.args, code, c.code, c.says, stderr)
		}
	}
}
