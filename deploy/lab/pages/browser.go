package pages

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// Browser is a Chromium without a window.
type Browser struct {
	cmd *exec.Cmd
	in  *os.File // what it reads

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	tabs    map[string]*Tab // by session
	err     error           // why it can no longer be spoken to
}

// message is one of the protocol's: a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// ErrNone says that there is no Chromium.
var ErrNone = errors.New("no chromium on this machine; install.sh test brings it")

// Start starts a browser whose profile is in dir.
func Start(ctx context.Context, dir string) (*Browser, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, ErrNone
	}
	readIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, writeOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, readIn.Close(), in.Close())
	}
	b := &Browser{in: in, waiting: map[int]chan message{}, tabs: map[string]*Tab{}}
	b.cmd = child.Guard(exec.CommandContext(ctx, path, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--user-data-dir="+dir, "--remote-debugging-pipe", "about:blank"))
	b.cmd.ExtraFiles = []*os.File{readIn, writeOut} // 3 and 4
	err = b.cmd.Start()
	err = errors.Join(err, readIn.Close(), writeOut.Close())
	if err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	go b.read(out)
	return b, nil
}

// Close ends the browser.
func (b *Browser) Close() error {
	err := b.in.Close() // it ends with its pipe
	if e := b.cmd.Wait(); e != nil && b.cmd.ProcessState.ExitCode() > 0 {
		err = errors.Join(err, e)
	}
	return err
}

// read hands on what the browser says until it is gone.
func (b *Browser) read(out *os.File) {
	defer out.Close()
	for r := bufio.NewReader(out); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			b.gone(err)
			return
		}
		var m message
		if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
			b.gone(err)
			return
		}
		b.mu.Lock()
		answer, tab := b.waiting[m.ID], b.tabs[m.Session]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		switch {
		case answer != nil:
			answer <- m
		case tab != nil && m.Method != "":
			tab.event(m)
		}
	}
}

func (b *Browser) gone(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = fmt.Errorf("the browser is gone: %w", err)
	for _, c := range b.waiting {
		close(c)
	}
	clear(b.waiting)
}

// call asks for something and waits for the answer, which goes into result unless
// that is nil.
func (b *Browser) call(ctx context.Context, session, method string, params, result any) error {
	text, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer := make(chan message, 1)
	b.mu.Lock()
	if err := b.err; err != nil {
		b.mu.Unlock()
		return err
	}
	b.last++
	b.waiting[b.last] = answer
	ask, err := json.Marshal(message{ID: b.last, Session: session, Method: method, Params: text})
	if err == nil {
		_, err = b.in.Write(append(ask, 0))
	}
	b.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	case m, ok := <-answer:
		switch {
		case !ok:
			return fmt.Errorf("%s: %w", method, b.err)
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error.Message)
		case result == nil:
			return nil
		}
		return json.Unmarshal(m.Result, result)
	}
}
