// Bench-flood measures `tailspan replay` of a made-up broker's 100,000 produce
// requests a second: how many it takes, what CPU and memory it takes for them,
// and what of the slow ones it keeps and counts. What follows the flags is given
// to replay.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/deploy/lab/flood"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/repo"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-flood:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	script  flood.Script
	over    int
	metrics bool
	bin     string
	log     string
	flags   []string
}

func parse() (o options) {
	o.script = flood.Default()
	flag.DurationVar(&o.script.For, "for", 10*time.Second, "how long the flood is, by its own time")
	flag.IntVar(&o.script.Rate, "rate", o.script.Rate, "requests a second")
	flag.IntVar(&o.over, "over", 20, "how many times as many are slow where the budget is exceeded")
	flag.BoolVar(&o.metrics, "metrics", true, "ask for the metrics")
	flag.Parse()
	o.flags = flag.Args()
	return o
}

func run() error {
	o := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := isolate.FollowParent(); err != nil {
		return err
	}
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	o.log = filepath.Join(dir, "bench-flood", "tailspan.log")
	if o.bin, err = repo.Build(ctx); err != nil {
		return err
	}
	fmt.Printf("on %s\n", figures.Machine())
	if err := alone(ctx, o.script); err != nil {
		return err
	}
	return all(ctx, &o)
}

// alone is what the generator takes by itself.
func alone(ctx context.Context, s flood.Script) error {
	g, err := flood.New(s, io.Discard)
	if err != nil {
		return err
	}
	begin := time.Now()
	truth, err := g.Run(ctx)
	if err != nil {
		return err
	}
	took := time.Since(begin)
	fmt.Printf("%-34s %9.0f requests/s, %d bytes each\n", "the generator alone", float64(truth.Requests)/took.Seconds(), g.Bytes()/uint64(truth.Requests))
	return nil
}

// all runs each case.
func all(ctx context.Context, o *options) error {
	over := o.script
	over.Slow = over.Slow.Times(o.over)
	for _, c := range []struct {
		name string
		flood.Run
	}{
		{"nothing exported", flood.Run{Script: o.script}},
		{"within the budget", flood.Run{Script: o.script, Export: true}},
		{"within the budget, paced", flood.Run{Script: o.script, Export: true, Paced: true}},
		{"over the budget", flood.Run{Script: over, Export: true}},
		{"over the budget, paced", flood.Run{Script: over, Export: true, Paced: true}},
	} {
		c.Bin, c.Log, c.Flags, c.Metrics = o.bin, o.log, o.flags, o.metrics
		r, err := flood.Drive(ctx, c.Run)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Println(r.Line(c.name))
		if c.Export {
			if err := r.Table(os.Stdout); err != nil {
				return err
			}
		}
	}
	return nil
}
