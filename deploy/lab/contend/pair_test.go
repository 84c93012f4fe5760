package contend

import (
	"cmp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// pair is one wait as Tailspan and the JVM's own recording have it.
type pair struct {
	ours   assemble.WaitRow
	theirs jfr.Wait
}

// off is how much longer it was for the JVM.
func (p pair) off() time.Duration { return p.theirs.Duration - time.Duration(p.ours.Latency) }

// joined is what became of two lists of the same waits.
type joined struct {
	pairs  []pair
	ours   []assemble.WaitRow // of Tailspan alone
	theirs []jfr.Wait         // of the JVM alone
	shift  time.Duration      // the JVM's wall clock against ours
}

// near is how far apart the starts of one wait may be, once the clocks' shift
// is taken off, or else the two must overlap: a thread may lose its CPU between
// the JVM's first look at the clock and the probe, but it waits once at a time.
const near = 100 * time.Microsecond

// join pairs waits thread by thread, in the order of their starts.
func join(ours []assemble.WaitRow, theirs []jfr.Wait) (j joined) {
	mine, others := map[int32][]assemble.WaitRow{}, map[int32][]jfr.Wait{}
	for _, w := range ours {
		mine[w.TID] = append(mine[w.TID], w)
	}
	for _, w := range theirs {
		others[w.Thread.TID] = append(others[w.Thread.TID], w)
		if mine[w.Thread.TID] == nil {
			mine[w.Thread.TID] = []assemble.WaitRow{}
		}
	}
	for tid := range mine {
		slices.SortFunc(mine[tid], func(a, b assemble.WaitRow) int { return cmp.Compare(a.Start, b.Start) })
		slices.SortFunc(others[tid], func(a, b jfr.Wait) int { return a.Start.Compare(b.Start) })
	}
	j.shift = shift(mine, others)
	for tid := range mine {
		j.merge(mine[tid], others[tid])
	}
	return j
}

func (j *joined) merge(mine []assemble.WaitRow, others []jfr.Wait) {
	for len(mine) > 0 && len(others) > 0 {
		d := time.Duration(others[0].Start.UnixNano()-mine[0].Start) - j.shift
		switch {
		case d.Abs() <= near, d < 0 && -d < others[0].Duration, d > 0 && d < time.Duration(mine[0].Latency):
			j.pairs = append(j.pairs, pair{mine[0], others[0]})
			mine, others = mine[1:], others[1:]
		case d < 0:
			j.theirs, others = append(j.theirs, others[0]), others[1:]
		default:
			j.ours, mine = append(j.ours, mine[0]), mine[1:]
		}
	}
	j.ours, j.theirs = append(j.ours, mine...), append(j.theirs, others...)
}

// shift is the median difference of starts, by the threads of which both saw the
// same number: a recording's wall clock is good for a millisecond on JDK 11.
func shift(mine map[int32][]assemble.WaitRow, others map[int32][]jfr.Wait) time.Duration {
	var all []time.Duration
	for tid, o := range others {
		if m := mine[tid]; len(m) == len(o) {
			for i := range m {
				all = append(all, time.Duration(o[i].Start.UnixNano()-m[i].Start))
			}
		}
	}
	return median(all)
}

// median is 0 of nothing.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// medianOff is the median of the absolute differences.
func (j *joined) medianOff() time.Duration {
	var all []time.Duration
	for _, p := range j.pairs {
		all = append(all, p.off().Abs())
	}
	return median(all)
}
