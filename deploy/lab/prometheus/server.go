package prometheus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// ErrNotInstalled says that the machine has no Prometheus.
var ErrNotInstalled = errors.New("prometheus or promtool is not installed (as root: deploy/lab/install.sh test)")

// Tools are the paths of the programs.
type Tools struct{ Server, Tool string }

// Find looks for them in the path.
func Find() (t Tools, err error) {
	if t.Server, err = exec.LookPath("prometheus"); err == nil {
		t.Tool, err = exec.LookPath("promtool")
	}
	if err != nil {
		return Tools{}, ErrNotInstalled
	}
	return t, nil
}

// Options of Start.
type Options struct {
	Dir    string // of its data and its log
	Config string // the file of its configuration
	// Classic leaves native histograms off, as an older server does: it scrapes text,
	// and has an exemplar of each bucket.
	Classic bool
}

// Server is a running Prometheus.
type Server struct {
	*child.Process
	Client
}

const (
	readyWithin = 30 * time.Second
	stopWithin  = 10 * time.Second
)

// Start runs the server on a free port, and waits until it is ready.
func (t Tools) Start(ctx context.Context, o Options) (*Server, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	addr, err := child.FreeAddress()
	if err != nil {
		return nil, fmt.Errorf("start prometheus: %w", err)
	}
	args := []string{"--config.file=" + o.Config, "--storage.tsdb.path=" + filepath.Join(o.Dir, "data"),
		"--web.listen-address=" + addr, "--enable-feature=exemplar-storage"}
	if !o.Classic {
		args = append(args, "--enable-feature=native-histograms")
	}
	p, err := child.Start("prometheus", filepath.Join(o.Dir, "prometheus.log"), exec.Command(t.Server, args...))
	if err != nil {
		return nil, err
	}
	s := &Server{Process: p, Client: Client{URL: "http://" + addr}}
	if err := s.Until(ctx, readyWithin, func() bool { return s.Ready(ctx) }); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// Stop ends it.
func (s *Server) Stop() error { return s.Process.Stop(syscall.SIGTERM, stopWithin) }

// Promtool runs promtool in a directory, and returns what it said; an error has
// that too.
func (t Tools) Promtool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := child.Guard(exec.CommandContext(ctx, t.Tool, args...))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("promtool %v: %w:\n%s", args, err, out)
	}
	return string(out), nil
}
