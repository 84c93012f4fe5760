package experiment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/figures"
	"github.com/tailspan/tailspan/sidecar/report"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

// Where EXPERIMENT.md has what Markdown returns.
const (
	Begin = "<!-- figures, written by make experiment -->\n"
	End   = "<!-- end of figures -->\n"
)

// Markdown is what was found, with how.
func (r *Result) Markdown() string {
	var b strings.Builder
	p := &r.Plan
	fmt.Fprintf(&b, "%s: Kafka %s on %s, %d rounds of %s each. The disk took %s for each operation, and held still for %s about every %s. The machine's load (of a minute) was %.1f to %.1f.\n\n",
		r.when(), p.Kafka, p.Machine, p.Rounds, p.For, p.Schedule.Base, p.Schedule.Hold, p.Schedule.Every, r.load(slices.Min[[]float64]), r.load(slices.Max[[]float64]))
	b.WriteString("| setting | requests | over 65 ms | share: all rounds (each) | change | p50 | p99 | p999 | max | time lost | commits | blog post |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Settings {
		x := &r.Settings[i]
		q := x.Quantiles
		fmt.Fprintf(&b, "| %s | %d | %d | %s (%s) | %s | %s | %s | %s | %s | %s | %s | %s |\n", p.Settings[i].Name, x.Latency.Count, x.Slow.Count,
			percent(x.Share.Share), r.shares(i), change(x), duration(q[0].NS), duration(q[1].NS), duration(q[2].NS), duration(q[3].NS),
			duration(x.Slow.Lost), r.commits(i), p.Settings[i].Blog)
	}
	b.WriteString("\nRequests over 65 ms by their root cause:\n\n")
	r.causes(&b)
	return b.String()
}

func (r *Result) when() string {
	first, last := time.Time{}, time.Time{}
	for _, of := range r.Measured {
		for _, m := range of {
			if first.IsZero() || m.At.Before(first) {
				first = m.At
			}
			if m.At.After(last) {
				last = m.At
			}
		}
	}
	return fmt.Sprintf("%s to %s UTC", first.UTC().Format("2006-01-02 15:04"), last.UTC().Format("15:04"))
}

func (r *Result) load(of func([]float64) float64) float64 {
	var all []float64
	for _, ms := range r.Measured {
		for _, m := range ms {
			all = append(all, m.Load)
		}
	}
	return of(all)
}

// shares are those of the rounds.
func (r *Result) shares(i int) string {
	var all []string
	for k := range r.Rounds[i] {
		all = append(all, percent(r.Rounds[i][k].Share.Share))
	}
	return strings.Join(all, ", ")
}

// commits a minute, and fast ones.
func (r *Result) commits(i int) string {
	if r.Plan.Settings[i].Format.Type == "xfs" {
		return "–"
	}
	var whole, fast []float64
	for _, m := range r.Measured[i] {
		whole = append(whole, float64(m.Journal.Commits)/r.Plan.For.Minutes())
		fast = append(fast, float64(m.Journal.FastCommits)/r.Plan.For.Minutes())
	}
	text := fmt.Sprintf("%.0f/min", figures.Median(whole))
	if n := figures.Median(fast); n > 0 {
		text += fmt.Sprintf(", %.0f fast", n)
	}
	return text
}

// causes has a row a root cause, the most frequent first.
func (r *Result) causes(b *strings.Builder) {
	total := map[string]uint64{}
	count := func(x *page.Compared, root string) (n uint64) {
		for _, c := range x.Causes {
			if c.Root == root {
				n += c.Count
			}
		}
		return n
	}
	for i := range r.Settings {
		for _, c := range r.Settings[i].Causes {
			total[c.Root] += c.Count
		}
	}
	var roots []string
	for root := range total {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(x, y string) int { return cmp.Or(cmp.Compare(total[y], total[x]), cmp.Compare(x, y)) })
	b.WriteString("| root cause |")
	for _, s := range r.Plan.Settings {
		fmt.Fprintf(b, " %s |", s.Name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.Plan.Settings)) + "\n")
	for _, root := range roots {
		fmt.Fprintf(b, "| %s |", cmp.Or(root, "not known"))
		for i := range r.Settings {
			fmt.Fprintf(b, " %d |", count(&r.Settings[i], root))
		}
		b.WriteString("\n")
	}
}

// change of the share, in brackets where it may be chance.
func change(x *page.Compared) string {
	switch s := &x.Share; {
	case s.Change == nil:
		return ""
	case !s.Differs:
		return fmt.Sprintf("(%+.0f %%)", 100**s.Change)
	default:
		return fmt.Sprintf("%+.0f %%", 100**s.Change)
	}
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

func duration(ns int64) string { return report.Duration(ns) }
