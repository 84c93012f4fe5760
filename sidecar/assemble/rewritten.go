package assemble

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
)

// A broker rewrites a batch where the topic wants the time of the append in it,
// or another codec. With acks the base offset in the response joins it all the
// same. Without, the order does: of one log's requests and writes that fit, the
// first belong together. That is inferred.

// claimedWithin is how long a request with acks may take to claim a write by its
// response, before one without acks is given it.
const claimedWithin = event.Time(200 * time.Millisecond)

// unclaimedRewritten is a write that nobody has claimed by its bytes.
type unclaimedRewritten struct{ w *write }

func (a *Assembler) mayBeRewritten(w *write) {
	if w.part == nil && w.ev.Bytes > 0 && w.log.unacked > 0 {
		a.after(w.ev.End+claimedWithin, unclaimedRewritten{w})
	}
}

func (p *part) unacked() bool { return p.r.ev.Acks == 0 }

func (u unclaimedRewritten) due(a *Assembler) {
	w := u.w
	if w.part != nil || w.offered {
		return
	}
	var first *part
	for _, p := range w.log.waiting {
		switch {
		case !p.mayBecome(w.ev):
		case !p.unacked(): // its response may yet name this offset
			a.after(a.now+claimedWithin, u)
			return
		case first == nil:
			first = p
		}
	}
	if first != nil {
		a.join(first, w, joinInferred)
		first.r.b.unexpect(first)
		a.wrote(first.r)
	}
}

// mayBecome says that a write may be what the broker made of the part's batch:
// with the time of its append (bit 3 of the attributes), or in another codec
// (bits 0-2).
func (p *part) mayBecome(e *event.Write) bool {
	q := p.asked()
	return p.precedes(e) && e.Records == q.Records &&
		e.ProducerID == q.ProducerID && e.Attributes&0xf != q.Attributes&0xf
}
