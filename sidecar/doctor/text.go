package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteText writes the report for people: a line a check, the fix below the
// first check of a section that asks for it, and at the end what to do first.
func (r Report) WriteText(w io.Writer) error {
	var b strings.Builder
	isProbe := func(c Check) bool { return strings.HasPrefix(c.Name, probePrefix) }
	section(&b, "Host", slices.DeleteFunc(slices.Clone(r.Host), isProbe))
	section(&b, "Probes", probeLines(slices.DeleteFunc(slices.Clone(r.Host), func(c Check) bool { return !isProbe(c) })))
	for _, k := range r.Brokers {
		section(&b, k.title(), k.Checks)
		section(&b, fmt.Sprintf("What traces of pid %d will show", k.PID), together(k.Spans))
	}
	b.WriteString(r.verdict() + "\n")
	if do := r.Do(); do != "" {
		fmt.Fprintf(&b, "First: %s.\n", do)
	}
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

// probeLines are a line a probe that works, then one for each better backend that is not
// to be had for the same reason.
func probeLines(checks []Check) []Check {
	var reasons []Check
	for i, c := range checks {
		checks[i].Name = strings.TrimPrefix(c.Name, probePrefix)
		for _, t := range c.Tried {
			if c.State != OK && t.Error == c.Detail {
				continue // its own line says so
			}
			same := func(k Check) bool { return k.Name == t.Backend && k.Detail == t.Error }
			at := slices.IndexFunc(reasons, same)
			if at < 0 {
				at = len(reasons)
				reasons = append(reasons, Check{Name: t.Backend, State: NotHere, Detail: t.Error})
			}
			if from := (Source{Probe: checks[i].Name}); !slices.Contains(reasons[at].From, from) { // of two ways of a kind
				reasons[at].From = append(reasons[at].From, from)
			}
		}
	}
	for i, k := range reasons {
		var names []string
		for _, f := range k.From {
			names = append(names, f.Probe)
		}
		reasons[i].Detail = fmt.Sprintf("%s (for %s)", k.Detail, strings.Join(names, ", "))
	}
	return append(together(checks), reasons...)
}

// together puts what is amiss, or not here, for one reason on one line.
func together(checks []Check) []Check {
	var out []Check
	for _, c := range checks {
		same := func(k Check) bool { return k.State == c.State && k.Detail == c.Detail && k.Fix == c.Fix }
		at := slices.IndexFunc(out, same)
		if c.State == OK || at < 0 {
			out = append(out, c)
			continue
		}
		out[at].Name += ", " + c.Name
	}
	for i, c := range out {
		if c.State == NotHere || strings.Contains(c.Name, ", ") {
			out[i].Name, out[i].Detail = "", c.Name+": "+c.Detail
		}
	}
	return out
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
		if c.Name == "" {
			fmt.Fprintf(b, "  %-8s  %s\n", c.State, c.Detail)
		} else {
			fmt.Fprintf(b, "  %-8s  %-*s  %s\n", c.State, wide, c.Name, c.Detail)
		}
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
