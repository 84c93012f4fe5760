package main

import (
	"fmt"
	"slices"

	"github.com/tailspan/tailspan/deploy/lab/figures"
)

// report prints the medians over the pairs, and between what the middle half of
// them lies. Many short pairs say more than few long ones: what drifts on a shared
// machine drifts less within one.
func report(off, on []outcome) {
	over := func(f func(off, on outcome) float64) []float64 {
		all := make([]float64, len(off))
		for i := range off {
			all[i] = f(off[i], on[i])
		}
		slices.Sort(all)
		return all
	}
	without := func(what string, f func(off, on outcome) float64) {
		all := over(f)
		fmt.Printf("  %-24s %.3f of that without (half of the pairs: %.2f to %.2f)\n", what, figures.Median(all), all[len(all)/4], all[len(all)*3/4])
	}
	fmt.Printf("\nmedians of %d pairs, on %s:\n", len(off), figures.Machine())
	without("broker CPU per request", func(a, b outcome) float64 { return b.perRequest() / a.perRequest() })
	without("p50 of a request", func(a, b outcome) float64 { return ratio(b.p50, a.p50) })
	without("p99 of a request", func(a, b outcome) float64 { return ratio(b.p99, a.p99) })
	fmt.Printf("  tailspan's own CPU       %.1f %% of the broker's\n", 100*figures.Median(over(func(_, b outcome) float64 { return ratio(b.own, b.broker) })))
	fmt.Printf("  tailspan's memory        %.0f MiB resident at most\n", figures.Median(over(func(_, b outcome) float64 { return float64(b.memory >> 20) })))
}

func ratio[T ~int64](a, b T) float64 { return float64(a) / float64(b) }
