package e2e

import (
	"strconv"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/spans"
)

// minHold is the shortest share that counts as somebody's cost, in ns.
const minHold = 1_000_000

// slo is the default of --slo.
const slo = 65 * time.Millisecond

// cost is what one write cost requests.
type cost struct {
	requests map[string]bool
	ns       int64
}

// direct counts again, from the rows, the requests that waited for a trace's write,
// which filled most of its share, and for how long.
func (x *locks) direct() map[string]*cost {
	all := map[string]*cost{}
	for i := range x.waits {
		w := &x.waits[i]
		from := w.Start
		for k, h := range x.writers(w) {
			r := w.Holders[k]
			to := from + r.NS
			if w.TraceID != nil && r.TraceID != nil && r.NS >= minHold && len(h) == 1 && 2*(min(to, h[0].End)-max(from, h[0].Start)) > r.NS {
				c := all[*r.TraceID]
				if c == nil {
					c = &cost{requests: map[string]bool{}}
					all[*r.TraceID] = c
				}
				c.requests[*w.TraceID] = true
				c.ns += r.NS
			}
			from = to
		}
	}
	return all
}

// checkBlocked: who waited for a write directly is counted in its trace; those
// behind them come on top. It returns the most that one request blocked which is
// slow enough to be exported for that.
func (x *locks) checkBlocked(t *testing.T) (kept int64) {
	var all, ns, direct, most int64
	for _, root := range x.roots {
		n := number(root.Attributes, spans.KeyBlockedRequests)
		all, ns, most = all+n, ns+number(root.Attributes, spans.KeyBlocked), max(most, n)
		if root.Kind == spans.Server && root.End-root.Start >= int64(slo) {
			kept = max(kept, n)
		}
	}
	for id, c := range x.direct() {
		direct += c.ns
		root := x.roots[id]
		if root == nil {
			t.Errorf("%s says nothing of %d requests that waited for its write for %d ns", id, len(c.requests), c.ns)
		} else if n := number(root.Attributes, spans.KeyBlockedRequests); int64(len(c.requests)) > n || c.ns > number(root.Attributes, spans.KeyBlocked) {
			t.Errorf("%s says that it blocked %d requests for %d ns, but %d waited for its write alone, for %d ns",
				id, n, number(root.Attributes, spans.KeyBlocked), len(c.requests), c.ns)
		}
	}
	t.Logf("%d traces blocked %d requests for %.1f s (%.1f s of it directly), one of them %d",
		len(x.roots), all, float64(ns)/1e9, float64(direct)/1e9, most)
	if most < 2 {
		t.Error("there is no write behind several requests")
	}
	return kept
}

// checkQuery: Jaeger finds the one write behind many.
func checkQuery(t *testing.T, c jaeger.Client, most int64) {
	found, err := c.Find(t.Context(), jaeger.Query{Service: "kafka",
		Tags: map[string]string{spans.KeyBlockedRequests: strconv.FormatInt(most, 10)}})
	if err != nil || len(found) == 0 {
		t.Fatalf("%d traces blocked %d requests (%v)", len(found), most, err)
	}
	root := found[0].Root()
	t.Logf("%s %s held up %s requests for %s ns", root.Name, found[0].ID, root.Tag(spans.KeyBlockedRequests), root.Tag(spans.KeyBlocked))
}
