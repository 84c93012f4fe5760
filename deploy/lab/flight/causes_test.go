package flight

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// mostCauses is the share of slow requests that must have the same cause, by the
// waits of another.
const mostCauses = 0.95

// causes counts slow requests.
type causes struct{ all, cause, root, waited, waitedRoot int }

// compare looks each request up in what the other waits made of it.
func compare(probes, other []assemble.RequestRow) (c causes) {
	byTrace := map[string]*assemble.RequestRow{}
	for i := range other {
		byTrace[other[i].TraceID] = &other[i]
	}
	for i := range probes {
		a, b := &probes[i], byTrace[probes[i].TraceID]
		same := b != nil && a.Cause == b.Cause
		root := same && a.RootCause == b.RootCause
		c.all++
		c.cause += count(same)
		c.root += count(root)
		if a.Cause == string(spans.CauseMonitor) {
			c.waited++
			c.waitedRoot += count(root)
		}
	}
	return c
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

func (c causes) check(t *testing.T) {
	t.Helper()
	t.Logf("%d requests over %v, %d with the same cause, %d of these with the same root cause; %d waited for a monitor most of the time, %d of them for the same root cause",
		c.all, slow, c.cause, c.root, c.waited, c.waitedRoot)
	if c.waited == 0 || float64(c.cause) < mostCauses*float64(c.all) {
		t.Error("too few have the same cause")
	}
}

// checkRoots is that they have the same root causes, as far as JFR knows the
// holders (see mostHolders): one that it does not know, and many a request behind
// it has another root.
func (c causes) checkRoots(t *testing.T, others int) {
	t.Helper()
	wrong := max((1-mostHolders)*float64(c.waited), float64(others))
	if float64(c.root) < mostHolders*float64(c.all) || float64(c.waited-c.waitedRoot) > wrong {
		t.Error("too few have the same root cause")
	}
}
