package assemble

import (
	"cmp"
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// phase is one of the successive steps of a request.
type phase struct {
	name       string
	start, end event.Time
	cost       int // index in causes, of the time in it that its children do not explain
	part       int // of an append
	write      *write
}

// phases are the request's, one after the other, from its first byte in to
// its end; those of which nothing was seen are left out. Only spans need the
// appends' names. They are put into all, which is returned.
func (r *request) phases(all []phase, named bool) []phase {
	end := r.lastMoment()
	parts := r.written()
	at := min(r.ev.LastByte, end)
	if !r.bare {
		all = append(all, phase{name: spans.NameReceive, start: r.ev.Arrival, end: at, cost: costReceive})
		all, at = r.queued(all, parts, at, end)
	}
	for _, i := range parts {
		w, q := r.parts[i].write, &r.ev.Partitions[i]
		to := min(max(at, r.appended(w)), end)
		if r.bare {
			to = end
		}
		all = append(all, phase{start: at, end: to, cost: costUnexplained, part: i, write: w})
		if named {
			all[len(all)-1].name = spans.NameAppend + " " + topicName(q) + "-" + itoa(q.Partition)
		}
		at = to
	}
	if r.ev.Acks != 0 && end > at {
		all = r.rest(all, len(parts) > 0, at, end)
	}
	return all
}

// queued is what lies between the last byte and the handler's first stir: the
// wait in the socket while the broker had muted the connection, for the request
// before and for its throttle time, and the request queue.
func (r *request) queued(all []phase, parts []int, at, end event.Time) ([]phase, event.Time) {
	stir := end
	if len(parts) > 0 {
		stir = min(max(at, r.stirs(r.parts[parts[0]].write)), end)
	}
	if to := min(r.muted, stir); to > at {
		all = append(all, phase{name: spans.NameSocket, start: at, end: to, cost: costSocket})
		at = to
	}
	if to := min(r.throttled, stir); to > at {
		all = append(all, phase{name: spans.NameThrottle, start: at, end: to, cost: costThrottle})
		at = to
	}
	if len(parts) > 0 {
		all = append(all, phase{name: spans.NameQueue, start: at, end: stir, cost: costQueue})
		at = stir
	}
	return all, at
}

// readable is when the broker could have read the request; it had by the time
// that its handler worked on it. A throttle time counts from before the response
// that tells of it was sent, so it may be over sooner.
func (r *request) readable() event.Time {
	at := max(r.muted, r.throttled)
	if parts := r.written(); len(parts) > 0 {
		at = min(at, r.stirs(r.parts[parts[0]].write))
	}
	return max(r.ev.LastByte, at)
}

// rest is what follows the last append: with acks=all the wait for the
// followers, then the sending of the response. What kept a response that never
// came is not known.
func (r *request) rest(all []phase, wrote bool, at, end event.Time) []phase {
	unknown := phase{name: spans.NameHandle, start: at, end: end, cost: costUnexplained}
	wait := phase{name: spans.NameReplication, start: at, end: end, cost: costReplication}
	switch {
	case !wrote:
		return append(all, unknown)
	case r.ev.Acks == -1 && r.follower.at > 0:
		wait.end = min(max(at, r.follower.at), end)
		if wait.end > at {
			all, at = append(all, wait), wait.end
		}
	case r.ev.Acks == -1 && (r.follower.seen || r.b.id.Encrypted):
		return append(all, wait)
	case r.resp == nil:
		return append(all, unknown)
	}
	if end == at {
		return all
	}
	return append(all, phase{name: spans.NameSend, start: at, end: end, cost: costSend})
}

// written lists the partitions with a write, in the order of the writes. The
// list is good until the next call.
func (r *request) written() []int {
	all := r.a.order[:0]
	for i := range r.parts {
		if r.parts[i].write != nil {
			all = append(all, i)
		}
	}
	slices.SortFunc(all, func(i, j int) int {
		return cmp.Compare(r.parts[i].write.ev.Start, r.parts[j].write.ev.Start)
	})
	r.a.order = all
	return all
}

// firstStir is when the handler is first seen to work on the request.
func (r *request) firstStir(first *write) event.Time {
	t := first.ev.Start
	for _, w := range r.waits {
		if w.thread.TID == first.ev.TID {
			t = min(t, w.start)
		}
	}
	for _, f := range r.fsyncs {
		if f.ev.TID == first.ev.TID {
			t = min(t, f.ev.Start)
		}
	}
	return t
}

// lastSeen ends the trace of a request without response: where its last write
// ended, or where it was given up. Of one that was answered unseen only the
// first is known.
func (r *request) lastSeen() event.Time {
	end := max(r.ev.LastByte, r.lastWrite())
	if r.ev.Acks != 0 && r.lost != notSeen {
		end = max(end, r.closed)
	}
	return end
}
