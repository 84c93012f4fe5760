package assemble

import "github.com/tailspan/tailspan/sidecar/event"

// appendKey is where an append's batch was written.
type appendKey struct {
	pid    int32
	file   string
	offset int64
}

func (r *request) appendKey() appendKey {
	e := r.parts[0].write.ev
	return appendKey{r.b.pid, e.File, e.Offset}
}

// ask has the record headers of an append be read from its segment. That is
// I/O, and done elsewhere: what was read comes as an event, which is waited for
// as the ends of links are. What does not come in time is cut.
func (a *Assembler) ask(r *request) {
	if !r.b.id.HeadersFromLog {
		return
	}
	k := r.appendKey()
	if len(a.asked) >= maxAsked || a.asked[k] != nil {
		r.ev.HeadersCut = true
		return
	}
	a.asked[k], r.asked = r, true
	if a.o.ReadHeaders != nil {
		a.o.ReadHeaders(r.parts[0].write.ev)
	}
}

func (a *Assembler) appendHeaders(e *event.AppendHeaders) {
	k := appendKey{e.PID, e.File, e.Offset}
	r := a.asked[k]
	if r == nil {
		return
	}
	delete(a.asked, k)
	r.asked = false
	r.ev.Partitions[0].MessageIDs = e.MessageIDs
	r.ev.Contexts, r.ev.ContextsOmitted, r.ev.HeadersCut = e.Contexts, e.ContextsOmitted, e.HeadersCut
	r.ev.ContextShared = e.ContextShared
}

// unask gives up what has not come.
func (a *Assembler) unask(r *request) {
	if r.asked {
		delete(a.asked, r.appendKey())
		r.asked, r.ev.HeadersCut = false, true
	}
}
