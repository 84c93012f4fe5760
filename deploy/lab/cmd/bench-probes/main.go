// Bench-probes measures what Tailspan's programs in the kernel cost, beside a
// bpftrace script that does the same job: the same load on the same broker, now
// with the one, now with the other, by the kernel's own count of each program's
// runs and time (BPF_ENABLE_STATS).
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
	b := probes{}
	c := scene.Story()
	c.Producers = 0 // the load is the bench's own
	flag.IntVar(&b.rounds, "rounds", 6, "how many times each")
	flag.DurationVar(&b.length, "for", 15*time.Second, "how long each time")
	flag.DurationVar(&b.warmUp, "warm-up", 20*time.Second, "load before the first")
	bench.Main("bench-probes", func(ctx context.Context, s bench.Stage) error {
		b.bin = s.Bin
		return s.Scene(ctx, c, func(set *scene.Scene) error {
			b.scene = set
			return b.run(ctx)
		})
	})
}
