package terminal

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/flood"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// aFlood writes the recording of a made-up broker to a file.
func aFlood(t *testing.T, file string, length time.Duration) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := flood.Default()
	s.For = length
	g, err := flood.New(s, f)
	if err == nil {
		_, err = g.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestProgress: replay and report say how far they have come, once
// two seconds are over; then it is taken away. The process is stopped for these two
// seconds, so that the file need not be large.
func TestProgress(t *testing.T) {
	s := trial.Begin(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "a.pcapng")
	aFlood(t, file, 1500*time.Millisecond)
	for _, c := range []struct{ name, args string }{
		{"replay", "replay " + file},
		{"report", "report -o " + filepath.Join(dir, "a.html") + " " + file},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := command(s.Bin, strings.Fields(c.args)...)
			x := start(t, s, c.name, 100, 20, cmd)
			opened(t, cmd.Process.Pid, file)
			_ = cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(2100 * time.Millisecond)
			if screen := x.Screen(); strings.Contains(screen, "reading") {
				t.Errorf("too early:\n%s", screen)
			}
			_ = cmd.Process.Signal(syscall.SIGCONT)
			bar := regexp.MustCompile(`(?m)^reading a\.pcapng  ━*─*  \d+ % · ([\d.]+ k?M?B of [\d.]+ MB · \d+s left|\d+s)$`)
			if err := x.Until(10*time.Second, bar.MatchString); err != nil {
				t.Error(err)
			}
			t.Log(x.Screen())
			ended(t, cmd)
			if strings.Contains(x.Text(), "reading") {
				t.Errorf("it is over:\n%s", x.Text())
			}
		})
	}
}

// TestProgressOfAPipe: without an end in sight, how much has been read is said.
func TestProgressOfAPipe(t *testing.T) {
	s := trial.Begin(t)
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "a.pcapng"), filepath.Join(dir, "pipe")
	aFlood(t, file, 100*time.Millisecond)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := command(s.Bin, "replay", pipe)
	x := start(t, s, "pipe", 100, 20, cmd)
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(whole[:len(whole)/2]); err != nil {
		t.Fatal(err)
	}
	read := regexp.MustCompile(`(?m)^reading pipe  [\d.]+ [kM]?B · [\d.]+ [kM]?B/s · \d+s$`)
	if err := x.Until(5*time.Second, read.MatchString); err != nil {
		t.Error(err)
	}
	if _, err := w.Write(whole[len(whole)/2:]); err != nil {
		t.Error(err)
	}
	w.Close()
	ended(t, cmd)
}

// opened waits until a process has a file open.
func opened(t *testing.T, pid int, file string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		all, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/fd/*")
		for _, fd := range all {
			if to, _ := os.Readlink(fd); to == file {
				return
			}
		}
	}
	t.Fatalf("it does not open %s", file)
}
