package sink

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

const (
	processName = "tailspan-sink" // argv[0] of the process
	readyWithin = 10 * time.Second
)

// order is what the process is told, as its only argument.
type order struct{ Address, File string }

// Main serves as a collector's process and ends with it if this process was
// started for that; else it returns at once.
func Main() { child.Main(processName, "sink", serve) }

// serve writes each message to the file before it answers, so that a kill loses
// nothing that was said to be taken.
func serve(arg string) error {
	var o order
	if err := json.Unmarshal([]byte(arg), &o); err != nil {
		return fmt.Errorf("read order: %w", err)
	}
	f, err := os.OpenFile(o.File, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	var mu sync.Mutex
	s := &Sink{take: func(m Message) error {
		mu.Lock()
		defer mu.Unlock()
		_, err := f.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(m.Body))), m.Body...))
		return err
	}}
	if err := s.listen(o.Address); err != nil {
		return err
	}
	end, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("ready")
	<-end.Done()
	return s.Stop()
}

// Process is a collector of its own. It may be killed, held and started again;
// what it took stays in its file.
type Process struct {
	*child.Process
	order
	log string
}

// Spawn starts one that serves gRPC at an address. The binary's main, or its
// TestMain, begins with Main.
func Spawn(ctx context.Context, address, dir string) (*Process, error) {
	p := &Process{order: order{address, filepath.Join(dir, "sink.messages")}, log: filepath.Join(dir, "sink.log")}
	return p, p.Again(ctx)
}

// Again starts it once more, at the same address.
func (p *Process) Again(ctx context.Context) (err error) {
	arg, err := json.Marshal(p.order)
	if err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{processName, string(arg)}
	if p.Process, err = child.Start("sink", p.log, cmd); err != nil {
		return err
	}
	return p.Until(ctx, readyWithin, func() bool { out, err := p.Output(); return err == nil && out != "" })
}

// Kill ends it at once.
func (p *Process) Kill() { _ = p.Stop(syscall.SIGKILL, readyWithin) }

// Hold makes it hang: its connections stay, and nothing answers. Resume ends
// that.
func (p *Process) Hold() error { return p.Signal(syscall.SIGSTOP) }

// Resume ends Hold.
func (p *Process) Resume() error { return p.Signal(syscall.SIGCONT) }

// Bodies hands over every message that was taken, in order.
func (p *Process) Bodies(each func([]byte) error) error {
	f, err := os.Open(p.File)
	if err != nil {
		return err
	}
	defer f.Close()
	for in := bufio.NewReader(f); ; {
		var size [4]byte
		if _, err := io.ReadFull(in, size[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		body := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(in, body); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil // it was killed while it wrote, and had not answered
		} else if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		if err := each(body); err != nil {
			return err
		}
	}
}
