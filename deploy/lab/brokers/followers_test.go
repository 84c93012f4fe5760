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
	n, named, longest := 0, 0, time.Duration(0)
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
			longest = max(longest, wait.long())
		}
	}
	t.Logf("%d requests take as long after the append as logged, %d of them wait for a follower that is named, for %s at most", n, named, longest)
	if named < n*9/10 {
		t.Error("too few of them")
	}
}

// waitedFor: the request that waited for the held follower names it, until
// after that went on, and for as long as the broker says.
func waitedFor(t *testing.T, all []*told, resumed time.Time) {
	w := theWait(t, all, held/2, held+lagging/2)
	t.Logf("%s, until %s after the follower went on: %v", w.long(), time.Duration(w.End-resumed.UnixNano()), w.Attributes)
	if w.text(spans.KeyFollower) != "3" || w.Start >= resumed.UnixNano() || w.End <= resumed.UnixNano() {
		t.Errorf("%+v, follower 3 went on at %d", w, resumed.UnixNano())
	}
}

// inSyncChanged: no follower is named by a request that waited until the one it
// waited for was in sync no longer.
func inSyncChanged(t *testing.T, all []*told) {
	w := theWait(t, all, lagging*9/10, 3*lagging)
	t.Logf("%s: %v", w.long(), w.Attributes)
	if w.text(spans.KeyFollower) != "" || w.text(spans.KeyReplication) != "ISR change or unknown" {
		t.Errorf("%+v", w)
	}
}

// theWait is the one replication.wait of about that length.
func theWait(t *testing.T, all []*told, least, most time.Duration) *span {
	t.Helper()
	var found []*span
	for _, r := range all {
		if p := r.find(spans.NameReplication); p != nil && p.long() >= least && p.long() <= most {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d waits for followers from %s to %s, of %d requests: %+v", len(found), least, most, len(all), found)
	}
	return found[0]
}
