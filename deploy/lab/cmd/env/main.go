// Env brings up the scene of the demo (slow disk, broker, load) for work by
// hand, says where it is, and takes it down when interrupted.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

func main() {
	slowdisk.Main()
	if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
		fmt.Fprintln(os.Stderr, "env:", err)
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "env:", err)
		os.Exit(1)
	}
}

func run() (err error) {
	c := scene.Story()
	flag.IntVar(&c.Partitions, "partitions", c.Partitions, "partitions of the topic")
	flag.IntVar(&c.Producers, "producers", c.Producers, "producers")
	flag.IntVar(&c.Load.PerSecond, "rate", c.Load.PerSecond, "records/s of each producer")
	flag.BoolVar(&c.Disk, "slow-disk", c.Disk, "put the logs on a slow disk")
	flag.DurationVar(&c.Schedule.Base, "base", c.Schedule.Base, "what each I/O takes")
	flag.DurationVar(&c.Schedule.Every, "every", c.Schedule.Every, "a stall begins once in this time")
	flag.DurationVar(&c.Schedule.Hold, "hold", c.Schedule.Hold, "how long a stall lasts")
	acks := flag.String("acks", "1", "acks of the producers")
	probes := flag.Bool("monitor-probes", true, "give the JVM the flag for its monitor probes")
	flag.Parse()
	c.Load.Properties["acks"] = *acks
	if !*probes {
		c.JVM = nil
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := isolate.FollowParent(); err != nil {
		return err
	}
	s, err := scene.New(ctx, c, os.Stdout)
	if err != nil {
		return err
	}
	defer func() { err = s.Close() }()
	if err := s.Start(ctx); err != nil {
		return err
	}
	fmt.Printf("pid %d\naddress %s\nlogs %s\noutput %s\n", s.Broker.PID(), s.Broker.Address(), s.LogDir, s.Output)
	fmt.Printf("The disk is mounted in a namespace of its own: nsenter -t %d -m COMMAND, or below /proc/%d/root\n", os.Getpid(), os.Getpid())
	<-ctx.Done()
	return nil
}
