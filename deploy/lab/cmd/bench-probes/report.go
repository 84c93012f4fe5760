package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/tailspan/tailspan/deploy/lab/figures"
)

// limit is what Tailspan may cost at most of what bpftrace does.
const limit = 0.7

// A subject's programs, by how their names begin in the kernel. Those of
// ownSubjects that peerSubjects lack, and those without a name, are Tailspan's
// alone.
type subjects []struct {
	name     string
	programs []string
}

var (
	ownSubjects = subjects{
		{"", []string{"commit_stats", "btf_commit_stats"}},
		{"write", []string{"enter_write", "exit_write", "enter_pwrite", "enter_writev", "fentry_write", "fexit_write", "btf_sys_", "kprobe_write", "kretprobe_write", "thread_exit", "btf_thread_exit"}},
		{"dirty_inode", []string{"dirty_inode", "btf_dirty_inode", "fentry_dirty", "fexit_dirty", "kprobe_dirty", "kretprobe_dirty"}},
		{"off_cpu", []string{"switch_threads", "wake_thread"}},
		{"block_io", []string{"block_"}},
		{"journal", []string{"commit_", "btf_commit_", "fentry_commit", "fexit_commit"}},
	}
	peerSubjects = subjects{
		{"write", []string{"sys_enter_write", "sys_exit_write"}},
		{"dirty_inode", []string{"writeback_dirty"}},
		{"off_cpu", []string{"sched_"}},
		{"block_io", []string{"block_"}},
		{"journal", []string{"jbd2_"}},
	}
)

func (all subjects) of(program string) string {
	for _, s := range all {
		for _, p := range s.programs {
			if len(program) >= len(p) && program[:len(p)] == p {
				return s.name
			}
		}
	}
	return ""
}

// perRequest is the time of each subject's programs, in ns a request.
func (s stretch) perRequest(all subjects) map[string]float64 {
	ns := map[string]float64{}
	for name, u := range s.usages {
		ns[all.of(name)] += float64(u.took) / float64(s.requests)
	}
	return ns
}

// shared is their sum over the subjects of both.
func (s stretch) shared(all subjects) (sum float64) {
	for name, ns := range s.perRequest(all) {
		if name != "" {
			sum += ns
		}
	}
	return sum
}

// report prints each program, then the medians of the rounds' ratios. It is an
// error if these are above the limit.
func report(own, peer []stretch) error {
	fmt.Printf("\n%d rounds on %s\n\n", len(own), figures.Machine())
	programs("tailspan", own, ownSubjects)
	programs("bpftrace", peer, peerSubjects)
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "subject\ttailspan ns a request\tbpftrace ns a request\tratio\t")
	row := func(name string, of func(stretch, subjects) float64) float64 {
		var a, b, r []float64
		for i := range own {
			x, y := of(own[i], ownSubjects), of(peer[i], peerSubjects)
			a, b, r = append(a, x), append(b, y), append(r, x/y)
		}
		ratio := figures.Median(r)
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.2f\t\n", name, figures.Median(a), figures.Median(b), ratio)
		return ratio
	}
	for _, s := range peerSubjects {
		row(s.name, func(st stretch, all subjects) float64 { return st.perRequest(all)[s.name] })
	}
	ratio := row("all of these", stretch.shared)
	if err := out.Flush(); err != nil {
		return err
	}
	if ratio > limit {
		return fmt.Errorf("the same job costs %.2f of what bpftrace takes, more than %.2f", ratio, limit)
	}
	return nil
}

// programs prints what each program took over all rounds.
func programs(title string, rounds []stretch, all subjects) {
	sum, requests := usages{}, int64(0)
	for _, s := range rounds {
		requests += s.requests
		for name, u := range s.usages {
			sum[name] = usage{sum[name].hits + u.hits, sum[name].took + u.took}
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(out, "%s\tsubject\tns a hit\thits a request\tns a request\t\n", title)
	for _, name := range slices.Sorted(maps.Keys(sum)) {
		u := sum[name]
		fmt.Fprintf(out, "%s\t%s\t%.0f\t%.3f\t%.1f\t\n", name, all.of(name), float64(u.took)/float64(u.hits),
			float64(u.hits)/float64(requests), float64(u.took)/float64(requests))
	}
	_ = out.Flush()
	fmt.Println()
}
