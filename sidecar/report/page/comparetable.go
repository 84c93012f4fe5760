package page

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tailspan/tailspan/sidecar/report"
)

// WriteTable writes a comparison for a terminal.
func (c *Comparison) WriteTable(w io.Writer) error {
	var b strings.Builder
	t := tabwriter.NewWriter(&b, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\t%s\tslow\tshare\t(95 %%)\tchange\tp50\tp99\t(95 %%)\tp999\t(95 %%)\tmax\tlost\tincidents\t\n", "requests")
	for i := range c.Recordings {
		r := &c.Recordings[i]
		q := r.Quantiles
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t\n", r.label(), r.Latency.Count, r.Slow.Count,
			percent(r.Share.Share), percent(r.Share.Low)+"–"+percent(r.Share.High), r.Share.change(),
			report.Duration(q[0].NS), report.Duration(q[1].NS), q[1].interval(), report.Duration(q[2].NS), q[2].interval(),
			report.Duration(q[3].NS), report.Duration(r.Slow.Lost), r.Incidents)
	}
	t.Flush()
	fmt.Fprintf(&b, "\nslow: %s or longer. (95 %%): where the true value lies, were requests slow independently of\none another; stalls make many slow at once, so rounds of the same say more.\n\n", report.Duration(c.SLO))
	c.causeTable(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// causeTable is how many requests were slow by root cause.
func (c *Comparison) causeTable(w io.Writer) {
	byRoot, roots := c.byRoot()
	if len(roots) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "slow by root cause\t")
	for i := range c.Recordings {
		fmt.Fprintf(t, "%s\t", c.Recordings[i].Name)
	}
	fmt.Fprintln(t)
	for _, root := range roots {
		fmt.Fprintf(t, "%s\t", cmp.Or(root, "(unknown)"))
		for i := range c.Recordings {
			fmt.Fprintf(t, "%d\t", byRoot[i][root])
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

// byRoot counts slow requests by root cause, and lists the causes, the most
// frequent first.
func (c *Comparison) byRoot() (byRoot []map[string]uint64, roots []string) {
	total := map[string]uint64{}
	for i := range c.Recordings {
		m := map[string]uint64{}
		for _, x := range c.Recordings[i].Causes {
			m[x.Root] += x.Count
			total[x.Root] += x.Count
		}
		byRoot = append(byRoot, m)
	}
	for root := range total {
		roots = append(roots, root)
	}
	slices.SortFunc(roots, func(a, b string) int { return cmp.Or(cmp.Compare(total[b], total[a]), cmp.Compare(a, b)) })
	return byRoot, roots
}

func (r *Compared) label() string {
	if r.Of == "appends" {
		return r.Name + " (appends)"
	}
	return r.Name
}

func (s *ShareOfSlow) change() string {
	switch {
	case s.Change == nil:
		return ""
	case !s.Differs:
		return fmt.Sprintf("(%+.0f %%)", 100**s.Change) // may be chance
	}
	return fmt.Sprintf("%+.0f %%", 100**s.Change)
}

func (q *Quantile) interval() string {
	side := func(n *int64) string {
		if n == nil {
			return "?"
		}
		return report.Duration(*n)
	}
	return side(q.Low) + "–" + side(q.High)
}

// percent has three digits that say something.
func percent(share float64) string {
	switch p := 100 * share; {
	case p == 0:
		return "0 %"
	case p < 0.1:
		return fmt.Sprintf("%.4f %%", p)
	case p < 10:
		return fmt.Sprintf("%.2f %%", p)
	default:
		return fmt.Sprintf("%.1f %%", p)
	}
}
