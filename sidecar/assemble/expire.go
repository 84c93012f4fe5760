package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// sweep looks for a broker's requests that nothing more is heard of, once a
// second of event time while any are in flight. A timer for each would keep
// all of them, answered or not, for as long as the slowest may take.
type sweep broker

func (s *sweep) due(a *Assembler) {
	b := (*broker)(s)
	for _, r := range a.expiring(b, a.now) {
		a.endWithout(r, "expired")
	}
	if b.swept = b.inFlight > 0; b.swept {
		a.after(a.now+sweepEach, s)
	}
}

// expiry is how long a request is waited for after its last byte.
func (r *request) expiry() event.Time {
	if r.ev.Acks == 0 {
		return unansweredExpiry
	}
	return requestExpiry
}
