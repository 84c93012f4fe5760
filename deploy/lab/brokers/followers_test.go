package brokers

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// waitsAreLogged: the wait for a follower begins within the broker's local time
// and ends within its remote time, when the Fetch has come that ends that: what
// is left of it is in response.send. Where the follower is not known nothing
// divides the two.
func waitsAreLogged(t *testing.T, all map[string][]*told) {
	n, named, most := 0, 0, time.Duration(0)
	for _, rs := range all {
		for _, r := range rs {
			l, wait := &r.log, r.find(spans.NameReplication)
			n++
			after := time.Duration(*r.End - r.appended())
			if after < l.Remote+l.ResponseQueue-cut || after > l.Local+l.Remote+l.ResponseQueue+l.Send+cut {
				t.Errorf("%s after the append, of %+v: %+v", after, r.RequestRow, l)
			}
			if wait == nil || wait.text(spans.KeyFollower) == "" {
				continue
			}
			named++
			within(t, r, spans.NameReplication, l.Remote-r.phase(spans.NameSend), l.Local+l.Remote)
			most = max(most, wait.long())
		}
	}
	t.Logf("%d requests take as long after the append as logged, %d of them wait for a follower that is named, for %s at most", n, named, most)
	if named < n*9/10 {
		t.Error("too few of them")
	}
}

// waitedFor: the request that waited for the held follower names it, until
// after that went on.
func waitedFor(t *testing.T, all []*told, resumed time.Time) {
	w := longest(t, all, held/2)
	t.Logf("%s, until %s after the follower went on: follower %s", w.long(), time.Duration(w.End-resumed.UnixNano()), w.text(spans.KeyFollower))
	if w.text(spans.KeyFollower) != "3" || w.Start >= resumed.UnixNano() || w.End <= resumed.UnixNano() {
		t.Errorf("%+v, follower 3 went on at %d", w, resumed.UnixNano())
	}
}

// inSyncChanged: no follower is named by a request that waited until the one it
// waited for was in sync no longer.
func inSyncChanged(t *testing.T, all []*told) {
	w := longest(t, all, lagging*9/10)
	t.Logf("%s: %s", w.long(), w.text(spans.KeyReplication))
	if w.text(spans.KeyFollower) != "" || w.text(spans.KeyReplication) != "ISR change or unknown" {
		t.Errorf("%+v", w)
	}
}

// longest is the longest replication.wait, which takes so long at least.
func longest(t *testing.T, all []*told, least time.Duration) *span {
	t.Helper()
	var found *span
	for _, r := range all {
		if p := r.find(spans.NameReplication); p != nil && (found == nil || p.long() > found.long()) {
			found = p
		}
	}
	if found == nil || found.long() < least {
		t.Fatalf("the longest wait for followers of %d requests is %+v, want %s", len(all), found, least)
	}
	return found
}
