package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// replaying starts a replay of the demo's recording that prints more than a
// pipe holds, and returns its stdout.
func replaying(t *testing.T) (cmd *exec.Cmd, out io.ReadCloser, stderr *bytes.Buffer) {
	t.Helper()
	in, err := os.Open("../../deploy/lab/testdata/demo.pcapng.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "demo.pcapng")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd = exec.Command(os.Args[0], "replay", "--print", "requests", "--format", "jsonl", path)
	cmd.Env = append(os.Environ(), "BE_TAILSPAN=1", "OTEL_TRACES_EXPORTER=none")
	stderr = new(bytes.Buffer)
	cmd.Stderr = stderr
	if out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return cmd, out, stderr
}

// `| head` ends the replay, and nobody calls that a failure.
func TestReaderGone(t *testing.T) {
	cmd, out, stderr := replaying(t)
	out.Close()
	if err := cmd.Wait(); err != nil || bytes.Contains(stderr.Bytes(), []byte("tailspan:")) {
		t.Errorf("%v: %s", err, stderr)
	}
}

// Interrupted while nobody reads the output: the end comes all the same.
func TestInterruptedWhileBlocked(t *testing.T) {
	if testing.Short() {
		t.Skip("takes as long as the end may")
	}
	t.Parallel()
	cmd, _, stderr := replaying(t)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(hardEnd + 5*time.Second):
		t.Fatal("still running")
	}
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || time.Since(began) < hardEnd-time.Second {
		t.Errorf("exit code %d after %v: %s", code, time.Since(began), stderr)
	}
}
