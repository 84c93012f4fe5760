package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
)

// report prints the medians over the pairs.
func report(off, on []outcome) {
	over := func(f func(off, on outcome) float64) float64 {
		all := make([]float64, len(off))
		for i := range off {
			all[i] = f(off[i], on[i])
		}
		return median(all)
	}
	fmt.Printf("\nmedians of %d pairs, on %s:\n", len(off), machine())
	fmt.Printf("  broker CPU per request   %.3f of that without\n", over(func(a, b outcome) float64 { return b.perRequest() / a.perRequest() }))
	fmt.Printf("  p50 of a request         %.3f of that without\n", over(func(a, b outcome) float64 { return ratio(b.p50, a.p50) }))
	fmt.Printf("  p99 of a request         %.3f of that without\n", over(func(a, b outcome) float64 { return ratio(b.p99, a.p99) }))
	fmt.Printf("  tailspan's own CPU       %.1f %% of the broker's\n", 100*over(func(_, b outcome) float64 { return ratio(b.own, b.broker) }))
	fmt.Printf("  tailspan's memory        %.0f MiB resident at most\n", over(func(_, b outcome) float64 { return float64(b.memory >> 20) }))
}

func ratio[T ~int64](a, b T) float64 { return float64(a) / float64(b) }

func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

// machine names what it ran on.
func machine() string {
	name := runtime.GOARCH
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(b)) {
			if _, model, ok := strings.Cut(line, "model name\t: "); ok {
				name = strings.TrimSpace(model)
				break
			}
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d CPUs (%s), Linux %s", runtime.NumCPU(), name, strings.TrimSpace(string(kernel)))
}
