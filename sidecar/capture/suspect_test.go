package capture

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Forged requests of many partitions, on connections of which nothing else is
// seen, find no room beyond a bound for all of them, and leave none behind.
func TestSuspectedPartitions(t *testing.T) {
	d := NewDecoder(Options{Emit: func(event.Event) { t.Error("an event") }})
	var all []*conn
	for range 100 {
		c := &conn{}
		c.in.suspected, c.out.known = true, true
		all = append(all, c)
		for range 10 {
			r := event.NewRequest(1 << 12)
			r.Acks = 1
			if d.suspect(c, r); c.in.refuted {
				d.refute(c)
				break
			}
		}
		if d.suspectedParts > maxSuspectedParts {
			t.Fatalf("%d partitions wait", d.suspectedParts)
		}
	}
	for _, c := range all {
		d.refute(c)
	}
	if d.suspected != 0 || d.suspectedParts != 0 || d.lost["unconfirmed"] == 0 {
		t.Errorf("%d requests of %d partitions left, %v lost", d.suspected, d.suspectedParts, d.lost)
	}
}
