// Package bench is what the benchmarks that need root begin with.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
)

// Stage is where one runs.
type Stage struct {
	Bin    string // the product, just built
	Output string // an empty directory for what the processes say
}

// Main runs a benchmark, whose flags are defined by then; an error ends the
// process with 1. What it mounts and starts dies with it; an interrupt ends ctx,
// and so does the death of the process that started it.
func Main(name string, run func(ctx context.Context, s Stage) error) {
	err := errors.New("probes, packets and mounts need root")
	if os.Geteuid() == 0 {
		err = errors.Join(isolate.Mounts(), isolate.Tracefs())
	}
	if err == nil {
		err = start(name, run)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func start(name string, run func(context.Context, Stage) error) error {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := isolate.FollowParent(); err != nil {
		return err
	}
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	s := Stage{Output: filepath.Join(dir, "logs", name)}
	if err := errors.Join(os.RemoveAll(s.Output), os.MkdirAll(s.Output, 0o755)); err != nil {
		return err
	}
	if s.Bin, err = repo.Build(ctx); err != nil {
		return err
	}
	return run(ctx, s)
}

// Scene has f measure in a scene.
func (s Stage) Scene(ctx context.Context, c scene.Config, f func(*scene.Scene) error) (err error) {
	c.Output = s.Output
	set, err := scene.New(ctx, c, os.Stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	return f(set)
}
