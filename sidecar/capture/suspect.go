package capture

import "github.com/tailspan/tailspan/sidecar/event"

// A boundary that was found in a connection of which nothing had been read
// rests on the bytes of one frame, and records may hold whole requests. Until
// the other half agrees, what is read from there on is only suspected to be
// requests, and waits:
//
//   - a response with the correlation id of one of them confirms it, those
//     behind it, and before it those of the same client in the same sequence;
//   - the end of the stream, where a frame ends, confirms them all;
//   - requests that have no response, or whose responses are not captured,
//     are confirmed by their number, one right behind the other;
//   - a lost boundary, too many without any response, or no room refutes them.
const (
	maxSuspected = 64 // more than a client has in flight (the Java client: 5)
	enoughNoAcks = 8
	// maxSuspectedParts bounds the partitions of all requests that wait:
	// whoever forges packets confirms nothing, and a few bytes make a partition.
	maxSuspectedParts = 1 << 16
)

// suspect keeps a request back, and says so, while its half is suspected.
func (d *Decoder) suspect(c *conn, e *event.Request) bool {
	in := &c.in
	if !in.suspected {
		return false
	}
	in.waiting = append(in.waiting, e)
	d.suspected++
	in.parts += len(e.Partitions)
	d.suspectedParts += len(e.Partitions)
	n := len(in.waiting)
	in.answerable = in.answerable || e.Acks != 0
	switch {
	case !in.answerable && n >= enoughNoAcks, n >= maxSuspected && !c.out.known:
		d.confirm(c)
	case n >= maxSuspected, d.suspectedParts > maxSuspectedParts:
		in.refuted = true
	}
	return true
}

// confirm hands on what waited.
func (d *Decoder) confirm(c *conn) {
	waiting := c.in.waiting
	d.outstanding += c.out.answers.produce
	d.suspected -= len(waiting)
	d.suspectedParts -= c.in.parts
	c.in.parts = 0
	c.in.suspected, c.in.waiting, c.in.answerable = false, nil, false
	for _, e := range waiting {
		d.handOn(c, e)
	}
}

// agree confirms what is consistent with a response to the first request
// that still waits for one.
func (d *Decoder) agree(c *conn) {
	in := &c.in
	keep := in.waiting[:0]
	for _, e := range in.waiting {
		waits := c.out.answers.find(e.CorrelationID) >= 0
		if !waits && (e.ClientID != in.clientID || !grows(e.CorrelationID, in.lastID+1)) {
			continue
		}
		if !waits && e.Acks != 0 { // its response went by before a boundary was known
			d.lost["unanswered"]++
		}
		keep = append(keep, e)
	}
	if n := len(in.waiting) - len(keep); n > 0 {
		d.lost["unconfirmed"] += uint64(n)
		d.suspected -= n
		in.mixed, in.jumpy = false, false
	}
	in.waiting = keep
	d.confirm(c)
}

// refute drops what waited, and forgets all that was taken from it.
func (d *Decoder) refute(c *conn) {
	in := &c.in
	if !in.suspected {
		return
	}
	if n := len(in.waiting); n > 0 {
		d.lost["unconfirmed"] += uint64(n)
		d.suspected -= n
	}
	d.suspectedParts -= in.parts
	in.parts = 0
	c.out.answers.clear()
	in.suspected, in.refuted, in.waiting, in.answerable = false, false, nil, false
	in.clientID, in.named, in.mixed, in.jumpy = "", false, false, false
}
