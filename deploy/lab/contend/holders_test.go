package contend

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tailspan/tailspan/sidecar/assemble"
)

// verdicts are on the last holders of waits: Tailspan's and the JVM's, with the
// program's log as the judge where they differ.
type verdicts struct {
	agree       int
	none        int // no exit was seen, so there is nothing to compare
	silent      int // the last one let go without a probe: it had nobody to wake
	stale       int // the JVM's note is of an earlier holder
	before      int // by the log the last one let go before the wait began, its clock being another
	unexplained int
	lines       []string // each disagreement
}

func (r *run) last() (v verdicts) {
	for _, p := range r.waits.pairs {
		h := p.ours.Holders
		if r.log != nil && p.theirs.Class != Class {
			continue // the log cannot judge
		}
		if len(h) == 0 {
			v.none++
			continue
		}
		seen, noted := h[len(h)-1].TID, p.theirs.Previous.TID
		if seen == noted {
			v.agree++
			continue
		}
		truth, known := r.truth(&p.ours)
		why := "unexplained"
		switch {
		case known && len(truth) == 0:
			v.before++
			why = "over by the log"
		case len(truth) == 0:
			v.unexplained++
		case r.tid(truth[len(truth)-1]) == noted:
			v.silent++
			why = "no exit fired for the last"
		case r.tid(truth[len(truth)-1]) == seen:
			v.stale++
			why = "the JVM's note is older"
		default:
			v.unexplained++
		}
		v.lines = append(v.lines, fmt.Sprintf("%s: %d waits %d ns: exits of %s, previousOwner %d, log %s",
			why, p.ours.TID, p.ours.Latency, holders(h), noted, r.text(truth)))
	}
	return v
}

// named are the waits by whether Tailspan's holder, the one with the longest
// share, is the log's.
type named struct {
	right, of    int
	slow, ofSlow int // of those that the slow one's share is the longest of
	wrong        []string
}

// named takes for right who held it as long as the longest share is, to within
// what the clocks of both are good for. A wait of which no exit was seen is wrong,
// and so is one that the log does not know.
func (r *run) named() (n named) {
	for _, w := range r.locks() {
		truth, known := r.truth(w)
		main, ok := Main(truth)
		if known && !ok {
			continue // when it began, by the log, nobody was in its way any more
		}
		right := slices.ContainsFunc(truth, func(s Share) bool {
			return w.HolderTID != nil && *w.HolderTID == r.tid(s) && main.NS-s.NS < clockSlack
		})
		n.of++
		if right {
			n.right++
		} else {
			n.wrong = append(n.wrong, fmt.Sprintf("holder: %d waits %d ns: exits of %s, log %s", w.TID, w.Latency, holders(w.Holders), r.text(truth)))
		}
		if r.mode == Slow && main.Thread == 0 {
			n.ofSlow++
			if w.HolderTID != nil && *w.HolderTID == r.tid(main) {
				n.slow++
			}
		}
	}
	return n
}

// locks are the waits for the program's own locks: by the JVM's word, for not
// every way to see them knows the class.
func (r *run) locks() (all []*assemble.WaitRow) {
	for i := range r.waits.pairs {
		if p := &r.waits.pairs[i]; p.theirs.Class == Class {
			all = append(all, &p.ours)
		}
	}
	return all
}

// truth is the log's, if there is one.
func (r *run) truth(w *assemble.WaitRow) ([]Share, bool) {
	if r.log == nil {
		return nil, false
	}
	return r.log.Truth(w.TID, w.Start-r.boot, w.End-r.boot)
}

func (r *run) tid(s Share) int32 { return r.log.Threads[s.Thread].TID }

func (r *run) text(shares []Share) string {
	var out []string
	for _, s := range shares {
		out = append(out, fmt.Sprintf("%d %d ns", r.tid(s), s.NS))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func holders(all []assemble.HolderRow) string {
	var out []string
	for _, h := range all {
		out = append(out, fmt.Sprintf("%d %d ns", h.TID, h.NS))
	}
	return "[" + strings.Join(out, ", ") + "]"
}
