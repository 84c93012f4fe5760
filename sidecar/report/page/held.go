package page

import "github.com/tailspan/tailspan/spans"

// heldBy is what the kept traces say of who waited for which commit.
type heldBy struct {
	commits map[string]int // by the commit's trace id: how many waited for it
	writes  map[int32][]heldWrite
}

// heldWrite is a write in a kept trace.
type heldWrite struct {
	start         int64
	trace, commit string
}

// sameWrite is how far apart the starts of one write may lie: in a trace it is
// told by the stamps of the request's packets, in a row by the calibrated clock.
const sameWrite = 1_000_000 // ns

// write finds a thread's write in the kept traces.
func (h *heldBy) write(tid int32, start int64) (best heldWrite) {
	least := int64(sameWrite)
	for _, w := range h.writes[tid] {
		if d := max(w.start-start, start-w.start); d < least {
			best, least = w, d
		}
	}
	return best
}

func (h *heldBy) trace(t *spans.Trace) {
	type place struct {
		span  *spans.Span
		write *heldWrite // that it is, or is in
	}
	at := make(map[spans.SpanID]place, len(t.Spans))
	for i := range t.Spans {
		s := &t.Spans[i]
		p := place{s, at[s.Parent].write}
		if s.Name == spans.NameWrite {
			p.write = &heldWrite{start: s.Start, trace: t.ID.String()}
		}
		at[s.ID] = p
		for j := range s.Links {
			if l := &s.Links[j]; str(l.Attributes, spans.KeyLinkKind) == spans.LinkCommit {
				h.commits[l.Trace.String()]++
				if p.write != nil {
					p.write.commit = l.Trace.String()
				}
			}
		}
	}
	for _, p := range at {
		if p.span.Name == spans.NameWrite {
			tid := int32(number(p.span.Attributes, spans.KeyThreadID))
			h.writes[tid] = append(h.writes[tid], *p.write)
		}
	}
}
