package flood

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// PerRequest is the CPU time that Tailspan takes for one.
func (r *Result) PerRequest() time.Duration {
	if r.Truth == nil || r.Truth.Requests == 0 {
		return 0
	}
	return r.CPU / time.Duration(r.Truth.Requests)
}

// Line is a run in one line.
func (r *Result) Line(name string) string {
	n := float64(r.Truth.Requests)
	return fmt.Sprintf("%-34s %9.0f requests/s  %6.2f µs CPU a request  %4d MiB at most  %7d traces  %8d spans  (ours: %.2f µs)%s",
		name, n/r.Took.Seconds(), float64(r.CPU.Nanoseconds())/n/1e3, r.Peak>>20, r.Arrived.Traces, r.Arrived.Spans,
		float64(r.Ours.Nanoseconds())/n/1e3, late(r.Behind))
}

func late(d time.Duration) string {
	if d < 100*time.Millisecond {
		return ""
	}
	return fmt.Sprintf(", %s late at most", d.Round(time.Millisecond))
}

// Table prints what was slow by cause: how many there were, were counted, were
// kept, and are estimated by the tracestates of those.
func (r *Result) Table(w io.Writer) error {
	truth := ByCause(r.Truth.Slow, Count.plus)
	kept := ByCause(r.Arrived.Slow, Estimate.plus)
	counted := ByCause(r.Metrics.Slow(), func(a, b int) int { return a + b })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "cause\troot cause\twere\tcounted\tkept\testimated\t±σ\twithout th")
	keys := map[Key]bool{}
	for k := range truth {
		keys[k] = true
	}
	for k := range kept {
		keys[k] = true
	}
	for k := range counted {
		keys[k] = true
	}
	for _, k := range sorted(keys) {
		e := kept[k]
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%.0f\t%.0f\t%d\n", k.Cause, k.Root, truth[k].Requests, counted[k], e.Kept, e.Of, e.Deviation(), e.Unknown)
	}
	return t.Flush()
}

func sorted(keys map[Key]bool) []Key {
	all := make([]Key, 0, len(keys))
	for k := range keys {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Root, b.Root))
	})
	return all
}
