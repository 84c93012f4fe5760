// Load sends a mixed load of all clients to a broker and keeps their records of
// what they sent, for work by hand.
//
//	load -address 127.0.0.1:9092 -requests 100000 -rate 1000 -dir records
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	o := clients.Options{Progress: os.Stdout}
	flag.StringVar(&o.Address, "address", "127.0.0.1:9092", "the broker's")
	flag.StringVar(&o.Dir, "dir", ".", "where the records are kept, a file a lane")
	flag.IntVar(&o.Count, "requests", 10_000, "in all")
	flag.Float64Var(&o.Rate, "rate", 0, "requests a second in all; 0: as fast as it goes")
	flag.DurationVar(&o.For, "for", 0, "ends it earlier")
	flag.Uint64Var(&o.Seed, "seed", 1, "of what is drawn")
	only := flag.String("only", "", "lanes to run, with commas between; all if empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if o.CacheDir, err = cache.Dir(); err != nil {
		return err
	}
	if o.Kafka, err = kafka.Install(ctx, o.CacheDir, os.Stdout); err != nil {
		return err
	}
	m := clients.NewMix(o)
	m.Keep(strings.FieldsFunc(*only, func(r rune) bool { return r == ',' }))
	begin := time.Now()
	err = errors.Join(os.MkdirAll(o.Dir, 0o755), m.Run(ctx))
	took := time.Since(begin)
	t, tallied := m.Tally()
	fmt.Printf("%d requests in %s: %.0f a second\n%+v\n", t.Requests, took.Round(time.Millisecond), float64(t.Requests)/took.Seconds(), t)
	return errors.Join(err, tallied)
}
