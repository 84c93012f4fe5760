package main

import (
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/figures"
)

// sum is the mean of stretches, weighed by the CPU that each had.
func sum(all []pair, which func(pair) stretch) (s stretch) {
	n := float64(len(all))
	for _, p := range all {
		x := which(p)
		s.work, s.blocked, s.cpu = s.work+x.work/n, s.blocked+x.blocked/n, s.cpu+x.cpu/n
	}
	return s
}

func off(p pair) stretch { return p.off }
func on(p pair) stretch  { return p.on }

func (r *round) print(n int) {
	fmt.Printf("%2d  work a CPU second: %.0f without the flag, %.0f with it, %.0f with probes, %.0f under tailspan; %.0f enters/s\n",
		n, r.without.perCPU(), sum(r.pairs, off).perCPU(), sum(r.pairs, on).perCPU(), r.whole.perCPU(), sum(r.pairs, on).blocked)
}

// report prints the medians of what was done under one condition, as a part of
// what was done under another.
func (b *jvmBench) report() {
	fmt.Printf("\nJDK %s at %d contended enters a second, on %s:\n", b.jdk, b.rate, figures.Machine())
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "\tpairs\tthroughput\tmiddle half\ta CPU second\tmiddle half\t")
	var pairs, probes, flag, whole []pair
	for _, r := range b.rounds {
		pairs = append(pairs, r.pairs...)
		probes = append(probes, pair{off: r.without, on: sum(r.pairs, on)})
		flag = append(flag, pair{off: r.without, on: sum(r.pairs, off)})
		whole = append(whole, pair{off: sum(r.pairs, off), on: r.whole})
	}
	compare(out, "probes on, of off (the flag on in both)", pairs)
	compare(out, "probes on, of a JVM without the flag", probes)
	compare(out, "the flag alone, of a JVM without it", flag)
	compare(out, "under tailspan, of probes off", whole)
	_ = out.Flush()
	var attach, detach []time.Duration
	for _, p := range pairs {
		attach, detach = append(attach, p.attach), append(detach, p.detach)
	}
	fmt.Printf("to put the probes on took %v (%v at most), to take them off %v (%v)\n", figures.Median(attach), slices.Max(attach), figures.Median(detach), slices.Max(detach))
}

func compare(out *tabwriter.Writer, what string, pairs []pair) {
	var wall, perCPU []float64
	for _, p := range pairs {
		wall, perCPU = append(wall, p.on.work/p.off.work), append(perCPU, p.on.perCPU()/p.off.perCPU())
	}
	fmt.Fprintf(out, "%s\t%d\t%s\t%s\t\n", what, len(pairs), spread(wall), spread(perCPU))
}

// spread is the median and the middle half.
func spread(v []float64) string {
	median := figures.Median(v) // sorts them
	return fmt.Sprintf("%.4f\t%.4f–%.4f", median, v[len(v)/4], v[len(v)-1-len(v)/4])
}
