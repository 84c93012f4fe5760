package page

import (
	"slices"

	"github.com/tailspan/tailspan/spans"
)

// ordered are the slow traces that are kept, each before what it leads to, the
// slowest first.
func (c *Collector) ordered() (all []keptTrace) {
	var roots []root
	for _, x := range c.incidents.list {
		roots = append(roots, x.roots...)
	}
	slices.SortStableFunc(roots, slower)
	slow := map[spans.TraceID]bool{}
	for _, r := range roots {
		slow[r.trace.ID] = true
	}
	seen := map[spans.TraceID]bool{}
	for _, r := range roots {
		c.keeper.reach(r.trace, func(t *spans.Trace) bool {
			if !seen[t.ID] {
				seen[t.ID] = true
				all = append(all, keptTrace{t, slow[t.ID]})
			}
			return true
		})
	}
	return all
}

type keptTrace struct {
	trace *spans.Trace
	slow  bool
}

// encode puts traces into the page until its room for them is taken.
func (p *Page) encode(all []keptTrace, kept map[spans.TraceID]*spans.Trace, origin int64) {
	e := newEncoder(origin, kept)
	p.Traces = []Trace{}
	for _, k := range all {
		if e.bytes > traceBudget {
			p.TracesOmitted++
			continue
		}
		p.Traces = append(p.Traces, e.trace(k.trace, k.slow))
	}
	p.Strings = e.strings
}
