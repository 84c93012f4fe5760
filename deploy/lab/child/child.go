// Package child runs processes that never outlive this one: each is killed by
// the kernel when the lab dies, has a process group of its own (so that an
// interrupt at the terminal reaches the lab alone, which then stops its
// children in order), and writes its output to a file. A child may be this very
// program in another role.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Process is a running child.
type Process struct {
	Name string
	Log  string // the file that holds its output
	from int64  // where this process's output begins in it
	cmd  *exec.Cmd
	done chan struct{}
	err  error // valid once done is closed
}

// Guard sets what makes a command die with this process.
func Guard(cmd *exec.Cmd) *exec.Cmd {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = true
	if cmd.Cancel != nil { // it has a context: take its own children along
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	}
	return cmd
}

// Start runs a command with its error output, and its output unless it is
// already taken, appended to a log file.
func Start(name, log string, cmd *exec.Cmd) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	f, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	defer f.Close()
	from, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	cmd.Stderr = f
	if cmd.Stdout == nil {
		cmd.Stdout = f
	}
	if err := Guard(cmd).Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Log: log, from: from, cmd: cmd, done: make(chan struct{})}
	go func() { p.err = cmd.Wait(); close(p.done) }()
	return p, nil
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what this process wrote to its log so far.
func (p *Process) Output() (string, error) {
	f, err := os.Open(p.Log)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := f.Seek(p.from, io.SeekStart); err != nil {
		return "", err
	}
	b, err := io.ReadAll(f)
	return string(b), err
}

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Alive says whether it has not ended yet.
func (p *Process) Alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends one to the process itself.
func (p *Process) Signal(s os.Signal) error { return p.cmd.Process.Signal(s) }

// Stop sends a signal, waits for the end, kills after the patience is over,
// and returns how the process ended.
func (p *Process) Stop(s os.Signal, patience time.Duration) error {
	_ = p.Signal(s) // it may have ended by itself
	select {
	case <-p.done:
		return p.err
	case <-time.After(patience):
	}
	_ = p.cmd.Process.Kill()
	<-p.done
	return fmt.Errorf("stop %s: killed after %s: %w", p.Name, patience, p.err)
}

// Wait waits for the end.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ErrEnded says that a child ended that should not have.
var ErrEnded = errors.New("ended unexpectedly")

// Until polls ready until it says yes, the child ends, or the time is over.
func (p *Process) Until(ctx context.Context, limit time.Duration, ready func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for !ready() {
		select {
		case <-p.done:
			return fmt.Errorf("%s %w (%v), see %s", p.Name, ErrEnded, p.err, p.Log)
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w, see %s", p.Name, ctx.Err(), p.Log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

// ExitCode is the code that the process ended with, -1 while it runs or if a
// signal ended it.
func (p *Process) ExitCode() int {
	if p.Alive() {
		return -1
	}
	return p.cmd.ProcessState.ExitCode()
}
