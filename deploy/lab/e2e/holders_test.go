package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// longWait is the shortest wait whose holders must be known, in ns.
const longWait = 20_000_000

// checkHolders: of the long waits of handlers nearly all have holders; shares and
// what nobody explains are the wait; every holder that wrote is linked to a write
// of that share, and the writes that are the root of it all say what they cost: the
// most that one did is returned.
func (s *stage) checkHolders(t *testing.T, file string) (most int64) {
	x := s.locks(t, file)
	waits := slices.DeleteFunc(slices.Clone(x.waits), func(w assemble.WaitRow) bool {
		return w.Latency <= longWait || !handler(w.Thread)
	})
	var without, shares, wrong, unlinked int
	for i := range waits {
		w := &waits[i]
		if len(w.Holders) == 0 {
			without++
			t.Logf("no holder: %s", line(w))
		}
		if !addsUp(w) || w.TraceID != nil && !spanAddsUp(x.span(w)) {
			wrong++
			t.Errorf("shares and rest are not the wait: %s", line(w))
		}
		for k, h := range x.writers(w) {
			if len(h) == 0 {
				continue
			}
			if shares++; !x.linked(w, k, h) {
				unlinked++
				t.Errorf("holder %+v wrote at %d, and is not linked to that: %s", w.Holders[k], h[0].Start, line(w))
			}
		}
	}
	t.Logf("%d of %d waits over 20 ms of handlers have holders; %d times a holder wrote, %d times without a link",
		len(waits)-without, len(waits), shares, unlinked)
	if len(waits) == 0 || without*100 > len(waits) {
		t.Errorf("%d of %d waits without a holder", without, len(waits))
	}
	return x.checkBlocked(t)
}

func handler(thread string) bool {
	return strings.HasPrefix(thread, "data-plane-kafk") && !strings.Contains(thread, "network")
}

// line is a wait as it is printed.
func line(w *assemble.WaitRow) string {
	b, _ := json.Marshal(w)
	return string(b)
}

func addsUp(w *assemble.WaitRow) bool {
	sum := w.Unexplained
	for _, h := range w.Holders {
		sum += h.NS
	}
	return sum == w.Latency && w.Unexplained >= 0
}

// spanAddsUp says so of a wait's span.
func spanAddsUp(s *spans.Span) bool {
	if s == nil {
		return false
	}
	sum := number(s.Attributes, spans.KeyMonitorRest)
	for _, n := range value(s.Attributes, spans.KeyHolderShares).AsInt64Slice() {
		sum += n
	}
	return value(s.Attributes, spans.KeyMonitorRest).Type() == attribute.INT64 && sum == whole(s)
}

// writers are the writes of each holder within its share.
func (x *locks) writers(w *assemble.WaitRow) [][]assemble.WriteRow {
	all := make([][]assemble.WriteRow, len(w.Holders))
	from := w.Start
	for i, h := range w.Holders {
		for _, r := range x.writes[h.TID] {
			if r.Start < from+h.NS && r.End > from {
				all[i] = append(all[i], r)
			}
		}
		from += h.NS
	}
	return all
}

// linked says whether the wait's span links to one of the writes; or, where the wait
// is no request's, whether the trace that its row names holds one.
func (x *locks) linked(w *assemble.WaitRow, holder int, writes []assemble.WriteRow) bool {
	for _, r := range writes {
		b := batch{r.File, r.Offset}
		if s := x.span(w); s != nil {
			if slices.ContainsFunc(s.Links, func(l spans.Link) bool { return x.wrote[place{l.Trace.String(), l.Span.String()}] == b }) {
				return true
			}
		} else if id := w.Holders[holder].Wrote; w.TraceID == nil && id != nil && x.within[*id][b] {
			return true
		}
	}
	return false
}
