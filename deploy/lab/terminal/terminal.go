// Package terminal runs a program on a pseudo-terminal and says what its user
// would see: the screen, and what has scrolled out of it.
package terminal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// Terminal is an emulated one, of which a program has the other end.
type Terminal struct {
	Far *os.File // the program's end, kept open so that nothing is lost

	near *os.File
	done chan struct{} // closed when all has been read

	mu       sync.Mutex // guards:
	emulator *vt.Emulator
	raw      bytes.Buffer
}

// Open makes one.
func Open(columns, rows int) (*Terminal, error) {
	near, far, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open a pseudo-terminal: %w", err)
	}
	t := &Terminal{Far: far, near: near, done: make(chan struct{}), emulator: vt.NewEmulator(columns, rows)}
	if err := t.Resize(columns, rows); err != nil {
		return nil, errors.Join(err, near.Close(), far.Close())
	}
	go t.read()
	return t, nil
}

func (t *Terminal) read() {
	defer close(t.done)
	b := make([]byte, 64<<10)
	for {
		n, err := t.near.Read(b)
		t.mu.Lock()
		t.raw.Write(b[:n])
		_, _ = t.emulator.Write(b[:n])
		t.mu.Unlock()
		if err != nil { // EIO: nobody has the far end any more
			return
		}
	}
}

// Close ends it, when all that was written has been read.
func (t *Terminal) Close() error {
	err := t.Far.Close()
	select {
	case <-t.done:
	case <-time.After(time.Second): // a child has it yet
	}
	return errors.Join(err, t.near.Close())
}

// Resize has its window resized.
func (t *Terminal) Resize(columns, rows int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.emulator.Resize(columns, rows)
	return pty.Setsize(t.near, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
}

// Type is what somebody types, ^C as \x03.
func (t *Terminal) Type(keys string) error {
	_, err := t.near.WriteString(keys)
	return err
}

// Start runs a command on the terminal, in a session of its own; it dies with this
// process. Where it has files for its output and errors already, these stay.
func (t *Terminal) Start(cmd *exec.Cmd) error {
	cmd.Stdin = t.Far
	if cmd.Stdout == nil {
		cmd.Stdout = t.Far
	}
	if cmd.Stderr == nil {
		cmd.Stderr = t.Far
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Pdeathsig: syscall.SIGKILL}
	return cmd.Start()
}

// Modes are those that a program can leave changed.
func (t *Terminal) Modes() (unix.Termios, error) {
	m, err := unix.IoctlGetTermios(int(t.Far.Fd()), unix.TCGETS)
	if err != nil {
		return unix.Termios{}, err
	}
	return *m, nil
}

// CursorHidden says whether it is.
func (t *Terminal) CursorHidden() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.emulator.CursorHidden()
}

// Raw is all that was written to it.
func (t *Terminal) Raw() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.raw.String()
}

// Screen is what is to be seen now, without blanks at the ends of lines.
func (t *Terminal) Screen() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return trim(t.emulator.String())
}

// Text is what has scrolled out of the screen, and the screen.
func (t *Terminal) Text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all strings.Builder
	for _, l := range t.emulator.Scrollback().Lines() {
		all.WriteString(l.String() + "\n")
	}
	return trim(all.String() + t.emulator.String())
}

func trim(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// Until waits until what is seen is as wanted.
func (t *Terminal) Until(limit time.Duration, wanted func(screen string) bool) error {
	for end := time.Now().Add(limit); ; time.Sleep(30 * time.Millisecond) {
		s := t.Screen()
		if wanted(s) {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("not within %v; the screen is\n%s", limit, s)
		}
	}
}
