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
	end := r.end
	if end == 0 {
		end = r.lastSeen()
	}
	at := min(r.ev.LastByte, end)
	all = append(all, phase{name: spans.NameReceive, start: r.ev.Arrival, end: at, cost: costReceive})
	parts := r.written()
	if len(parts) > 0 {
		stir := min(max(at, r.firstStir(r.parts[parts[0]].write)), end)
		all = append(all, phase{name: spans.NameQueue, start: at, end: stir, cost: costQueue})
		at = stir
	}
	for _, i := range parts {
		w, q := r.parts[i].write, &r.ev.Partitions[i]
		to := min(max(at, w.ev.End), end)
		all = append(all, phase{start: at, end: to, cost: costUnexplained, part: i, write: w})
		if named {
			all[len(all)-1].name = spans.NameAppend + " " + topicName(q) + "-" + itoa(q.Partition)
		}
		at = to
	}
	if last := r.rest(len(parts) > 0); r.ev.Acks != 0 && end > at {
		all = append(all, phase{name: last.name, start: at, end: end, cost: last.cost})
	}
	return all
}

// rest is what follows the last append: with acks=all the followers, whose
// fetches are not looked at yet, hide the sending of the response. What kept a
// response that never came is not known.
func (r *request) rest(wrote bool) phase {
	switch {
	case !wrote:
		return phase{name: spans.NameHandle, cost: costUnexplained}
	case r.ev.Acks == -1:
		return phase{name: spans.NameReplication, cost: costReplication}
	case r.resp == nil:
		return phase{name: spans.NameHandle, cost: costUnexplained}
	}
	return phase{name: spans.NameSend, cost: costSend}
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
	return t
}

// lastSeen ends the trace of a request without response: where its last write
// ended, or where it was given up.
func (r *request) lastSeen() event.Time {
	end := max(r.ev.LastByte, r.lastWrite())
	if r.ev.Acks != 0 {
		end = max(end, r.closed)
	}
	return end
}
