package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
)

// Waits that the probes saw only a part of, for they were taken off or put on
// meanwhile, are not taken for whole ones.
func TestHalfWatchedWaits(t *testing.T) {
	s := newScript(t)
	const gone, back = t0 + 50*ms, t0 + 20000*ms
	events := []event.Event{
		&event.MonitorsWatched{Time: gone, PID: 7},
		&event.MonitorsWatched{Time: back, PID: 7, On: true},
	}
	events = append(events, aWait(5, t0+10*ms, back-us)...)   // ended while they were put on
	events = append(events, aWait(6, t0+10*ms, back+us)...)   // after that
	events = append(events, aWait(7, gone+us, back-us)...)    // began before they were gone
	events = append(events, aWait(8, gone+us, back+us)...)    // likewise
	events = append(events, aWait(9, back-us, back+us)...)    // began while they were put on
	events = append(events, aWait(10, t0+10*ms, t0+40*ms)...) // whole
	events = append(events, aWait(10, back+ms, back+3*ms)...) // whole
	events = append(events, aRelease(11, t0+40*ms), aRelease(11, back+2*ms))
	s.play(events...)
	if len(s.waits) != 2 {
		t.Errorf("%d waits", len(s.waits))
	}
	for _, w := range s.waits {
		if w.TID != 10 || len(w.Holders) != 1 {
			t.Errorf("%+v", w)
		}
	}
	// Of 5 and 6 when they were gone; of 6, 8 and 9 for the ends alone.
	if st := s.Stats(); st.Waits != 2 || st.LostWaits != 5 {
		t.Errorf("%d waits, %d lost", st.Waits, st.LostWaits)
	}
}
