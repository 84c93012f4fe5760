package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/cache"
)

// demo is what the live show and the replayed one have in common.
type demo struct {
	out      io.Writer
	mu       sync.Mutex // of out: several tell how far they are
	begin    time.Time
	cacheDir string
	logs     string // what the children say
	length   time.Duration
	record   string
	color    bool
	width    int
	jaeger   *backend
	address  string // where Tailspan serves; "": nowhere
	seen     *collection
	shown    shown
}

const (
	slo       = 65 * time.Millisecond // what is exported
	threshold = 30 * time.Millisecond // what is looked at here
	narrow    = 100                   // columns where there is no terminal
)

func newDemo() (*demo, error) {
	d := &demo{out: os.Stdout, begin: time.Now(), width: narrow, seen: newCollection(), record: os.Getenv("DEMO_RECORD")}
	var err error
	if text := os.Getenv("DEMO_FOR"); text != "" {
		if d.length, err = time.ParseDuration(text); err != nil || d.length <= 0 {
			return nil, fmt.Errorf("DEMO_FOR=%s: want a time like 60s", text)
		}
	}
	if d.cacheDir, err = cache.Dir(); err != nil {
		return nil, err
	}
	d.logs = filepath.Join(d.cacheDir, "logs", "demo")
	if err := errors.Join(os.RemoveAll(d.logs), os.MkdirAll(d.logs, 0o755)); err != nil {
		return nil, err
	}
	if w, err := unix.IoctlGetWinsize(int(os.Stdout.Fd()), unix.TIOCGWINSZ); err == nil && w.Col > 0 {
		d.width, d.color = int(w.Col), os.Getenv("NO_COLOR") == ""
	}
	if d.jaeger, err = newBackend(d); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *demo) close() { d.jaeger.close() }

// say prints a line with the time since the start.
func (d *demo) say(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := int(time.Since(d.begin).Seconds())
	fmt.Fprintf(d.out, "%2d:%02d  %s\n", s/60, s%60, fmt.Sprintf(format, args...))
}

// print prints a block as it is.
func (d *demo) print(text string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprint(d.out, text)
}

// Write takes progress of others, a line at a time.
func (d *demo) Write(b []byte) (int, error) {
	for _, line := range lines(b) {
		d.say("%s", line)
	}
	return len(b), nil
}

// log is the file of one child.
func (d *demo) log(name string) string { return filepath.Join(d.logs, name+".log") }

// sleep waits, unless the context ends first.
func sleep(ctx context.Context, t time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(t):
		return nil
	}
}
