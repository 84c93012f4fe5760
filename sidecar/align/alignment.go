package align

import (
	"math"
	"slices"
	"time"
)

// Alignment is what was found of two clocks.
type Alignment struct {
	Pieces []Piece // none: no line was found
	Jumps  int     // times that the line began anew
	Spent  bool    // looking took too long: where the line began anew after that is not known
	Able   int     // waits, long enough, of threads that sleep; in the time of the sleeps, if there are pieces
	Paired int     // of them: those that have a sleep, aligned
	// Least and Most are by how much these are to be put forward.
	Least, Most time.Duration
	late        []int32 // ns of each of these: from its sleep's end to its own
}

// Piece is the line for waits from a number on, the first one also for those
// before.
type Piece struct {
	From int
	Line
}

// Each calls a function for all of n waits, with the line of each.
func (a *Alignment) Each(n int, do func(i int, l Line)) {
	if len(a.Pieces) == 0 {
		return
	}
	piece := 0
	for i := range n {
		for piece+1 < len(a.Pieces) && a.Pieces[piece+1].From <= i {
			piece++
		}
		do(i, a.Pieces[piece].Line)
	}
}

// Found says whether enough waits have a sleep for the lines to be believed.
func (a *Alignment) Found() bool { return a.Paired >= fewest && a.Paired*share >= a.Able }

// Late is by how much a share of the paired waits end after their sleeps, at
// most.
func (a *Alignment) Late(share float64) time.Duration {
	if len(a.late) == 0 {
		return 0
	}
	return time.Duration(a.late[int(share*float64(len(a.late)-1))])
}

// count holds the waits against the sleeps once more.
func (a *Alignment) count(from *aligner) {
	if len(a.Pieces) == 0 {
		a.Able = len(from.able)
		return
	}
	first, last := from.between()
	k := 0
	a.Each(from.n, func(i int, l Line) {
		if k == len(from.able) || int(from.able[k].wait) != i {
			return
		}
		k++
		w := from.wait(i)
		if end := w.End + l.At(w.End); end < first || end > last {
			return
		}
		a.Able++
		if ns, ok := late(from.sleeps[w.TID], w, l, 0); ok {
			by := time.Duration(l.At(w.End))
			if a.Paired++; a.Paired == 1 {
				a.Least, a.Most = by, by
			}
			a.Least, a.Most = min(a.Least, by), max(a.Most, by)
			a.late = append(a.late, int32(ns+taken))
		}
	})
	slices.Sort(a.late)
}

// between are the ends of the first sleep and of the last.
func (a *aligner) between() (first, last int64) {
	first, last = math.MaxInt64, math.MinInt64
	for _, all := range a.sleeps {
		first, last = min(first, all[0].end), max(last, all[len(all)-1].end)
	}
	return first, last
}
