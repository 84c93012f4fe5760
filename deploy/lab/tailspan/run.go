package tailspan

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// stopWithin is what tailspan takes to flush at the very most, and some more.
const stopWithin = 15 * time.Second

// lineBytes bounds a line of jsonl.
const lineBytes = 16 << 20

// Exit codes of the binary.
const (
	Done    = 0
	Nothing = 2 // nothing can be traced
)

// Sidecar is a running tailspan. When it has ended, its account of requests is
// looked at: whatever waits for the end returns what is wrong with it.
type Sidecar struct {
	*child.Process
	args  []string
	lines chan error // what reading its output ended with

	audited chan struct{} // closed when these two are known
	account *Account
	wrong   error
}

// Start runs the binary with its log in a file; each line that it prints goes
// to line, in order, on a goroutine of its own. env is added to ours.
func Start(bin, log string, env []string, line func([]byte) error, args ...string) (*Sidecar, error) {
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), env...)
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = w
	p, err := child.Start("tailspan", log, cmd)
	w.Close()
	if err != nil {
		r.Close()
		return nil, err
	}
	s := &Sidecar{Process: p, args: args, lines: make(chan error, 1), audited: make(chan struct{})}
	go func() { s.lines <- read(r, line) }()
	s.watch()
	return s, nil
}

// read hands on every line; after an error it goes on reading, so that the
// sidecar is never held up.
func read(r io.ReadCloser, line func([]byte) error) (err error) {
	defer r.Close()
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 64<<10), lineBytes)
	for in.Scan() {
		if err == nil && line != nil {
			err = line(in.Bytes())
		}
	}
	if err == nil {
		err = in.Err()
	}
	return err
}

// Stop ends it as a user's interrupt does, and waits for its last line.
func (s *Sidecar) Stop() error {
	err := s.Process.Stop(syscall.SIGINT, stopWithin)
	if out := <-s.lines; err == nil {
		err = out
	}
	if err != nil {
		return fmt.Errorf("tailspan: %w, see %s", err, s.Log)
	}
	return s.Audit()
}

// Wait waits for it to end by itself, whatever its output ended with.
func (s *Sidecar) Wait(ctx context.Context) error {
	if err := s.Process.Wait(ctx); err != nil {
		return err
	}
	return s.Audit()
}

// Finish waits for it to end by itself, as replay does.
func (s *Sidecar) Finish(ctx context.Context) error {
	if err := s.Process.Wait(ctx); err != nil {
		_ = s.Process.Stop(syscall.SIGKILL, stopWithin)
		return fmt.Errorf("tailspan: %w, see %s", err, s.Log)
	}
	return errors.Join(<-s.lines, s.Audit())
}
