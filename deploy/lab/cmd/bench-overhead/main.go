// Bench-overhead measures what Tailspan costs: the same load on the same
// broker, with Tailspan off and on in alternating pairs, and prints the medians
// of the pairs' ratios. The disk is a plain one: stalls would drown the cost.
package main

import (
	"context"
	"flag"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

func main() {
	slowdisk.Main()
	b := overhead{}
	c := scene.Story()
	c.Disk, c.Producers = false, 0 // the load is the bench's own
	flag.IntVar(&b.pairs, "pairs", 40, "how many times off and on")
	flag.DurationVar(&b.length, "for", 4*time.Second, "how long each time")
	flag.DurationVar(&b.warmUp, "warm-up", 30*time.Second, "load before the first")
	bench.Main("bench-overhead", func(ctx context.Context, s bench.Stage) error {
		b.bin = s.Bin
		return s.Scene(ctx, c, func(set *scene.Scene) error {
			b.scene = set
			return b.run(ctx)
		})
	})
}
