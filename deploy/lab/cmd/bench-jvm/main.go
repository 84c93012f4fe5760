// Bench-jvm measures what the monitor probes cost a JVM whose threads contend
// for locks: how much its other threads get done, with the probes on and off in
// turns, on each JDK of the machine. It prints the medians of the pairs' ratios.
package main

import (
	"context"
	"flag"
	"runtime"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
)

func main() {
	var c config
	flag.IntVar(&c.rate, "rate", 5000, "contended enters a second")
	flag.IntVar(&c.rounds, "rounds", 10, "how many JVMs with the flag, and without it: no two run alike")
	flag.IntVar(&c.pairs, "pairs", 20, "how many times off and on in each")
	flag.IntVar(&c.workers, "workers", runtime.NumCPU(), "threads that compute; fewer leave something to a busy machine")
	flag.DurationVar(&c.length, "for", 500*time.Millisecond, "how long each time")
	flag.DurationVar(&c.settle, "settle", 3*time.Second, "load before the first")
	release := flag.Int("jdk", 0, "only this release; 0: all of this machine")
	bench.Main("bench-jvm", func(ctx context.Context, s bench.Stage) error {
		all, err := jdk.Machine()
		if err != nil {
			return err
		}
		for _, j := range all {
			if *release != 0 && j.Release != *release {
				continue
			}
			b := jvmBench{config: c, stage: s, jdk: j}
			if err := b.run(ctx); err != nil {
				return err
			}
			b.report()
		}
		return nil
	})
}
