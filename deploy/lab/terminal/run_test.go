package terminal

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

// Mostly it takes a third of that.
const (
	within     = 40 * time.Second
	endsWithin = 15 * time.Second
)

// command is the binary as a user has it on a terminal.
func command(bin string, args ...string) *exec.Cmd {
	cmd := exec.Command(bin, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", trial.NoExport)
	return cmd
}

// start runs it on a terminal, which is written down for a look afterwards.
func start(t *testing.T, s trial.Session, name string, columns, rows int, cmd *exec.Cmd) *Terminal {
	t.Helper()
	x, err := Open(columns, rows)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		_ = x.Close()
		_ = os.WriteFile(filepath.Join(s.Dir, name+".raw"), []byte(x.Raw()), 0o644)
		_ = os.WriteFile(filepath.Join(s.Dir, name+".txt"), []byte(x.Text()), 0o644)
	})
	return x
}

// ended waits for the end, within what a flush may take.
func ended(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(endsWithin):
		t.Fatal("it does not end")
	}
}

// logLine begins one, wherever it is.
var logLine = regexp.MustCompile(`time=\S+ level=`)

// TestLive: on a terminal, run shows what goes on beside a broker whose disk holds
// still now and then, and record how much it has; what they log stands above, whole;
// ^C ends them, and the terminal is as it was. Where there is none, nothing but the
// log is printed.
func TestLive(t *testing.T) {
	trial.NeedRoot(t)
	s := trial.Begin(t)
	set := s.Set(t, scene.Story())
	if err := set.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	pid := strconv.Itoa(set.Broker.PID())
	for name, do := range map[string]func(*testing.T, trial.Session, string){"view": view, "held": held, "record": record, "piped": piped} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, s, pid)
		})
	}
}

// A slow request with its cause, and how many there are in a second.
var (
	slow  = regexp.MustCompile(`(?m)^  \d\d:\d\d:\d\d\.\d{3} +[\d.]+m?s  orders-\d.*(jbd2\.commit|monitor\.wait|fs\.write|ext4_dirty_inode)`)
	rates = regexp.MustCompile(`[1-9]\S* requests/s .* records/s .* in flight`)
)

func view(t *testing.T, s trial.Session, pid string) {
	cmd := command(s.Bin, "run", "--pid", pid, "--listen", trial.FreeAddress(t))
	x := start(t, s, "view", 120, 40, cmd)
	before, err := x.Modes()
	if err != nil {
		t.Fatal(err)
	}
	told := func(screen string) bool {
		return slow.MatchString(screen) && strings.Contains(screen, "pid "+pid) && rates.MatchString(screen)
	}
	if err := x.Until(within, told); err != nil {
		t.Fatal(err)
	}
	t.Logf("slow requests are told of:\n%s", x.Screen())
	if err := x.Until(10*time.Second, func(screen string) bool { return strings.Contains(screen, "STALL") }); err != nil {
		t.Error(err)
	}
	t.Logf("a stall, while it lasts:\n%s", x.Screen())
	whole(t, x)
	if err := x.Resize(80, 24); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	if screen := x.Screen(); !strings.Contains(screen, "requests/s") || !strings.Contains(screen, "slow requests") {
		t.Errorf("at 80 by 24:\n%s", screen)
	}
	interrupt(t, x, cmd, before)
	if text := x.Text(); !strings.Contains(text, "msg=requests seen=") || !strings.Contains(text, `msg="so far"`) {
		t.Errorf("without its account:\n%s", text)
	}
}

// held: a terminal that is stopped by ^S keeps nothing else from ending in order.
func held(t *testing.T, s trial.Session, pid string) {
	file := filepath.Join(t.TempDir(), "held.pcapng")
	log, err := os.Create(filepath.Join(s.Dir, "held.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := command(s.Bin, "run", "--pid", pid, "--listen=", "--record", file)
	cmd.Stderr = log
	x := start(t, s, "held", 120, 40, cmd)
	if err := x.Until(within, rates.MatchString); err != nil {
		t.Fatal(err)
	}
	if err := x.Type("\x13"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // it draws meanwhile
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended(t, cmd)
	if err := x.Type("\x11"); err != nil {
		t.Error(err)
	}
	said, err := os.ReadFile(log.Name())
	if err != nil {
		t.Fatal(err)
	}
	mustAccount(t, string(said))
	if !strings.Contains(string(said), "the terminal takes nothing") {
		t.Errorf("it was not held:\n%s", said)
	}
}

func record(t *testing.T, s trial.Session, pid string) {
	file := filepath.Join(t.TempDir(), "a.pcapng")
	cmd := command(s.Bin, "record", "--pid", pid, "-o", file)
	x := start(t, s, "record", 160, 30, cmd)
	before, err := x.Modes()
	if err != nil {
		t.Fatal(err)
	}
	growth := regexp.MustCompile(`recording to \S+a\.pcapng  \d+s · [1-9]\S* k?M?B · [1-9]\d* packets · (nothing lost|\d+ loss)`)
	if err := x.Until(within, growth.MatchString); err != nil {
		t.Error(err)
	}
	interrupt(t, x, cmd, before)
	whole(t, x)
	if screen := x.Screen(); strings.Contains(screen, "recording to") {
		t.Errorf("it is over:\n%s", screen)
	}
}

// interrupt ends a command by ^C, in order, and holds the terminal to what it was.
func interrupt(t *testing.T, x *Terminal, cmd *exec.Cmd, before unix.Termios) {
	t.Helper()
	if err := x.Type("\x03"); err != nil {
		t.Fatal(err)
	}
	ended(t, cmd)
	after, err := x.Modes()
	if err != nil {
		t.Fatal(err)
	}
	if before != after || x.CursorHidden() || strings.Count(x.Raw(), "\x1b[?7l") != strings.Count(x.Raw(), "\x1b[?7h") {
		t.Errorf("the terminal is not as it was: %+v, %+v, cursor hidden: %v", before, after, x.CursorHidden())
	}
	mustAccount(t, x.Raw())
}

func piped(t *testing.T, s trial.Session, pid string) {
	cmd := command(s.Bin, "run", "--pid", pid, "--listen=")
	var out bytes.Buffer
	cmd.Stdout = &out
	p, err := child.Start("tailspan", filepath.Join(s.Dir, "piped.log"), cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(syscall.SIGKILL, time.Second) })
	tracing := func() bool {
		log, _ := p.Output()
		return strings.Contains(log, "tracing broker")
	}
	if err := p.Until(t.Context(), within, tracing); err != nil {
		t.Fatal(err)
	}
	time.Sleep(3 * time.Second) // in which there would be something to be seen
	if err := p.Stop(syscall.SIGINT, endsWithin); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if out.Len() > 0 {
		t.Errorf("it printed %q", out.String())
	}
	log, err := p.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "time=") || strings.Contains(line, "\x1b") {
			t.Errorf("in the log: %q", line)
		}
	}
	mustAccount(t, log)
}

// whole says that every line of the log is there as it was written, and nothing of
// it elsewhere.
func whole(t *testing.T, x *Terminal) {
	t.Helper()
	written := 0
	for _, line := range strings.Split(x.Raw(), "\r\n") {
		if at := logLine.FindStringIndex(line); at != nil {
			written++
			if rest := line[at[1]:]; strings.Contains(rest, "\x1b") || logLine.MatchString(rest) {
				t.Errorf("torn: %q", line)
			}
		}
	}
	if shown := len(logLine.FindAllString(x.Text(), -1)); shown != written || written < 4 {
		t.Errorf("%d lines of the log are to be seen of %d:\n%s", shown, written, x.Text())
	}
}

func mustAccount(t *testing.T, log string) {
	t.Helper()
	accounts, err := tailspan.Accounts(strings.ReplaceAll(log, "\r", ""))
	if err != nil || len(accounts) == 0 {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	for i := range accounts {
		if err := accounts[i].Balanced(); err != nil {
			t.Error(err)
		}
	}
}
