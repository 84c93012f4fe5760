package doctor

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes the report for people: a line a check, the fix below the
// first check of a section that asks for it.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	section(&b, "Host", r.Host)
	for _, k := range r.Brokers {
		section(&b, k.title(), k.Checks)
		section(&b, fmt.Sprintf("What traces of pid %d will show", k.PID), k.Spans)
	}
	b.WriteString(r.verdict() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (b Broker) title() string {
	s := fmt.Sprintf("Broker pid %d", b.PID)
	if b.NodeID >= 0 {
		s += fmt.Sprintf(", node %d", b.NodeID)
	}
	if b.ClusterID != "" {
		s += ", cluster " + b.ClusterID
	}
	return s
}

func section(b *strings.Builder, title string, checks []Check) {
	if len(checks) == 0 {
		return
	}
	wide, said := 0, map[string]bool{}
	for _, c := range checks {
		wide = max(wide, len(c.Name))
	}
	fmt.Fprintf(b, "%s\n", title)
	for _, c := range checks {
		fmt.Fprintf(b, "  %-8s  %-*s  %s\n", c.State, wide, c.Name, c.Detail)
		if c.Fix != "" && !said[c.Fix] {
			said[c.Fix] = true
			fmt.Fprintf(b, "  %-8s  %-*s  -> %s\n", "", wide, "", c.Fix)
		}
	}
	b.WriteByte('\n')
}

func (r Report) verdict() string {
	switch r.ExitCode() {
	case 0:
		return "All of it can be traced."
	case 1:
		return "Not all can be traced: see what is degraded or missing above."
	}
	return "Nothing can be traced here."
}
