package main

import (
	"fmt"

	"github.com/tailspan/tailspan/deploy/lab/figures"
)

// report prints the medians over the pairs.
func report(off, on []outcome) {
	over := func(f func(off, on outcome) float64) float64 {
		all := make([]float64, len(off))
		for i := range off {
			all[i] = f(off[i], on[i])
		}
		return figures.Median(all)
	}
	fmt.Printf("\nmedians of %d pairs, on %s:\n", len(off), figures.Machine())
	fmt.Printf("  broker CPU per request   %.3f of that without\n", over(func(a, b outcome) float64 { return b.perRequest() / a.perRequest() }))
	fmt.Printf("  p50 of a request         %.3f of that without\n", over(func(a, b outcome) float64 { return ratio(b.p50, a.p50) }))
	fmt.Printf("  p99 of a request         %.3f of that without\n", over(func(a, b outcome) float64 { return ratio(b.p99, a.p99) }))
	fmt.Printf("  tailspan's own CPU       %.1f %% of the broker's\n", 100*over(func(_, b outcome) float64 { return ratio(b.own, b.broker) }))
	fmt.Printf("  tailspan's memory        %.0f MiB resident at most\n", over(func(_, b outcome) float64 { return float64(b.memory >> 20) }))
}

func ratio[T ~int64](a, b T) float64 { return float64(a) / float64(b) }
