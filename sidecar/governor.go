package sidecar

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// How the probes come back. A look costs a JVM under any load at most governEach
// or two of probes, so with leastPause a twentieth of the time at first, and with
// mostPause a five-hundredth in the long run; who waited five minutes for a calm
// JVM has missed little of it.
const (
	leastPause = event.Time(10 * time.Second)
	mostPause  = event.Time(5 * time.Minute)
	// probation is how long after their return half of the limit is too much: a
	// load about the limit must not have them go and come all the time.
	probation = event.Time(time.Second)
	// leastWindow: a burst of a few milliseconds is no rate.
	leastWindow = event.Time(100 * time.Millisecond)
	// steadyFor is how long they must have stayed for the next pause to be the
	// least again.
	steadyFor = event.Time(time.Minute)
)

// governor decides when the probes of one JVM are too costly. It knows no clock
// and no kernel.
type governor struct {
	limit float64 // contended enters a second; 0: none

	since event.Time // when the probes were last put on
	again bool       // not for the first time
	at    event.Time // of the last reading
	count uint64     // likewise
	last  float64    // the rate up to it

	pause event.Time // the present one, or the last; 0: there was none
	until event.Time // its end
}

// on: the probes are on from now on, and count on from what they have counted.
func (g *governor) on(now event.Time, count uint64) {
	g.again = g.pause != 0
	g.since, g.at, g.count = now, now, count
}

// tooMany says whether the probes must go, by how many enters there were.
func (g *governor) tooMany(now event.Time, count uint64) bool {
	if now-g.at < leastWindow {
		return false
	}
	g.last = float64(count-min(g.count, count)) / time.Duration(now-g.at).Seconds()
	g.at, g.count = now, count
	limit := g.limit
	if g.again && now-g.since <= probation {
		limit /= 2
	}
	return g.limit > 0 && g.last > limit
}

// off: the probes are gone. Each pause is twice as long as the one before it,
// unless they were back for long.
func (g *governor) off(now event.Time) {
	if g.pause == 0 || now-g.since >= steadyFor {
		g.pause = leastPause
	} else {
		g.pause = min(2*g.pause, mostPause)
	}
	g.until = now + g.pause
}

// due says that the pause is over.
func (g *governor) due(now event.Time) bool { return now >= g.until }
