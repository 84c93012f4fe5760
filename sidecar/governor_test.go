package sidecar

import (
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// turn is one time that the probes went or came back.
type turn struct {
	at event.Time
	on bool
}

// turnsUnder has a governor of 20,000 waits a second live through a load: how
// many a second there are at an instant.
func turnsUnder(load func(event.Time) float64, length time.Duration) (turns []turn) {
	g := governor{limit: 20000}
	const start = event.Time(time.Hour)
	g.on(start, 0)
	on, count := true, 0.0
	step := event.Time(time.Millisecond)
	for t := start; t < start+event.Time(length); t += step {
		switch {
		case (t-start)%event.Time(governEach) != 0: // not looked at
		case on && g.tooMany(t, uint64(count)):
			g.off(t)
			on, turns = false, append(turns, turn{t - start, false})
		case !on && g.due(t):
			g.on(t, uint64(count))
			on, turns = true, append(turns, turn{t - start, true})
		}
		if on {
			count += load(t-start) * time.Duration(step).Seconds()
		}
	}
	return turns
}

func steadily(rate float64) func(event.Time) float64 {
	return func(event.Time) float64 { return rate }
}

const second = event.Time(time.Second)

func TestGovernorLetsBe(t *testing.T) {
	for name, load := range map[string]func(event.Time) float64{
		"nothing":   steadily(0),
		"the limit": steadily(19990),
		"a short burst": func(at event.Time) float64 {
			if at%(10*second) < second/10 {
				return 50000
			}
			return 1000
		},
	} {
		if turns := turnsUnder(load, 10*time.Minute); turns != nil {
			t.Errorf("%s: %v", name, turns)
		}
	}
	if g := (governor{}); g.tooMany(second, 1<<40) {
		t.Error("no limit, and too many")
	}
}

// TestGovernorFirstWindow: the probes go on at any moment between two looks, and
// what little came between that and the first one is no rate.
func TestGovernorFirstWindow(t *testing.T) {
	g := governor{limit: 20000}
	g.on(second, 1000)
	if at := second + event.Time(2*time.Millisecond); g.tooMany(at, 1100) { // 50,000 a second
		t.Error("by 2 ms")
	}
	if at := second + event.Time(302*time.Millisecond); !g.tooMany(at, 1000+302*25) {
		t.Error("what came in the first 2 ms is not in the next window")
	}
}

// A load that begins at any moment is cut off within a second, and looked at
// again more and more seldom while it lasts.
func TestGovernorUnderLoad(t *testing.T) {
	for _, rate := range []float64{20500, 100000, 5e6} {
		for phase := event.Time(0); phase < second; phase += second / 10 {
			begins := second + phase
			turns := turnsUnder(func(at event.Time) float64 {
				if at < begins {
					return 0
				}
				return rate
			}, time.Hour)
			if len(turns) == 0 || turns[0].on || turns[0].at-begins > 2*event.Time(governEach) {
				t.Fatalf("%v a second from %v on: %v", rate, begins, turns)
			}
			var pauses, looks []event.Time
			for i := 1; i < len(turns); i++ {
				if d := turns[i].at - turns[i-1].at; turns[i].on {
					pauses = append(pauses, d/second)
				} else {
					looks = append(looks, d)
				}
			}
			if want := []event.Time{10, 20, 40, 80, 160}; !slices.Equal(pauses[:5], want) || slices.Max(pauses) != 300 {
				t.Errorf("%v a second: pauses of %v s", rate, pauses)
			}
			if longest := slices.Max(looks); longest > 2*event.Time(governEach) {
				t.Errorf("%v a second: looked at for %v", rate, longest)
			}
		}
	}
}

// The probes come back to a JVM that is calm, by half the limit, and not to one
// that is about the limit: these would go and come all the time.
func TestGovernorHysteresis(t *testing.T) {
	after := func(rate float64) func(event.Time) float64 {
		return func(at event.Time) float64 {
			if at < 5*second {
				return 40000
			}
			return rate
		}
	}
	if turns := turnsUnder(after(9500), time.Hour); len(turns) != 2 || !turns[1].on {
		t.Errorf("to half the limit: %v", turns)
	}
	swings := func(at event.Time) float64 {
		if at/(7*second)%2 == 0 {
			return 22000
		}
		return 15000
	}
	for name, load := range map[string]func(event.Time) float64{"above half": after(12000), "about the limit": swings} {
		if n := len(turnsUnder(load, time.Hour)); n > 2*(5+60/5) {
			t.Errorf("%s: %d turns in an hour", name, n)
		}
	}
}

// After a calm minute a burst costs the least pause, in a row of bursts it does
// not.
func TestGovernorForgets(t *testing.T) {
	bursts := func(each event.Time) func(event.Time) float64 {
		return func(at event.Time) float64 {
			if at%each < 2*second {
				return 40000
			}
			return 0
		}
	}
	pauses := func(each event.Time) (all []event.Time) {
		turns := turnsUnder(bursts(each), time.Hour)
		for i := 1; i < len(turns); i += 2 {
			all = append(all, turns[i].at-turns[i-1].at)
		}
		return all
	}
	if seldom := pauses(120 * second); slices.Max(seldom) > leastPause+event.Time(governEach) || len(seldom) < 29 {
		t.Errorf("a burst every two minutes: %v", seldom)
	}
	if often := pauses(30 * second); slices.Max(often) != mostPause {
		t.Errorf("a burst every half minute: %v", often)
	}
}
