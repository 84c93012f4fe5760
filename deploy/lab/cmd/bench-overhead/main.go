// Bench-overhead measures what Tailspan costs: the same load on the same
// broker, with Tailspan off and on in alternating pairs, and prints the medians
// of the pairs' ratios. The disk is a plain one: stalls would drown the cost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

func main() {
	slowdisk.Main()
	if os.Geteuid() != 0 {
		fmt.Fprintln(os.Stderr, "bench-overhead: probes and packets need root")
		os.Exit(1)
	}
	err := errors.Join(isolate.Mounts(), isolate.Tracefs())
	if err == nil {
		err = run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-overhead:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	b := bench{}
	c := scene.Story()
	c.Disk, c.Producers = false, 0 // the load is the bench's own
	flag.IntVar(&b.pairs, "pairs", 40, "how many times off and on")
	flag.DurationVar(&b.length, "for", 4*time.Second, "how long each time")
	flag.DurationVar(&b.warmUp, "warm-up", 30*time.Second, "load before the first")
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
	c.Output = filepath.Join(dir, "logs", "bench-overhead")
	if err := os.RemoveAll(c.Output); err != nil {
		return err
	}
	if b.bin, err = repo.Build(ctx); err != nil {
		return err
	}
	if b.scene, err = scene.New(ctx, c, os.Stdout); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.scene.Close()) }()
	return b.run(ctx)
}
