// Package progress says on a terminal how far a command has come, once it has
// taken two seconds, and nothing where there is no terminal.
//
//	progress.go  a task, and its goroutine; line.go: what is said of it
package progress

import (
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/report/screen"
)

const (
	patience = 2 * time.Second // less needs no word
	redraw   = 500 * time.Millisecond
)

// Task is something that takes time. All methods may be called of a nil one,
// which nobody is told of, and by any goroutine.
type Task struct {
	screen *screen.Screen
	began  time.Time
	total  int64 // bytes; 0: not known
	read   atomic.Int64

	mu   sync.Mutex // guards:
	what string
	note func() []string

	end  sync.Once
	stop chan struct{}
	done chan struct{}
}

// Start begins one; total is how many bytes are to be read, 0 if none or not
// known. End it.
func Start(s *screen.Screen, what string, total int64) *Task {
	if s == nil {
		return nil
	}
	t := &Task{screen: s, began: time.Now(), total: total, what: what, stop: make(chan struct{}), done: make(chan struct{})}
	go t.show()
	return t
}

// End takes what was said off the terminal.
func (t *Task) End() {
	if t == nil {
		return
	}
	t.end.Do(func() {
		close(t.stop)
		<-t.done
	})
}

// Now says what is done from now on.
func (t *Task) Now(what string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.what = what
}

// Note has more said, asked for each time, on a goroutine of its own.
func (t *Task) Note(note func() []string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.note = note
}

// Reader counts what is read.
func (t *Task) Reader(r io.Reader) io.Reader {
	if t == nil {
		return r
	}
	return &reader{r, t}
}

type reader struct {
	io.Reader
	task *Task
}

func (r *reader) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	r.task.read.Add(int64(n))
	return n, err
}

// Bytes are those of files, 0 where one does not know how many it has, as a pipe.
func Bytes(files ...string) (total int64) {
	for _, name := range files {
		f, err := os.Stat(name)
		if err != nil || !f.Mode().IsRegular() {
			return 0
		}
		total += f.Size()
	}
	return total
}

// show draws until the end.
func (t *Task) show() {
	defer close(t.done)
	select {
	case <-t.stop:
		return
	case <-time.After(patience):
	}
	defer t.screen.Clear()
	tick := time.NewTicker(redraw)
	defer tick.Stop()
	for {
		t.draw()
		select {
		case <-t.stop:
			return
		case <-tick.C:
		}
	}
}

func (t *Task) draw() {
	t.mu.Lock()
	what, note := t.what, t.note
	t.mu.Unlock()
	s := state{what: what, took: time.Since(t.began), read: t.read.Load(), total: t.total}
	if note != nil {
		s.notes = note()
	}
	o := report.TerminalOptions(t.screen.File())
	t.screen.Show([]string{s.line(o.Width, o.ASCII)})
}
