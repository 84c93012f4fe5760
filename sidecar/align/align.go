package align

import (
	"sort"
	"time"
)

const (
	// patience is how many waits without a sleep it takes to look for another line.
	// Each time that there is none it takes twice as many, at most.
	patience, mostPatience = 8, 512
	// pieceLength is for how long one line is taken.
	pieceLength = int64(time.Second)
	// maxWork bounds what all looking takes: some seconds.
	maxWork = 1 << 26
)

// windows are the times, one after the other, of which a line is looked for: the
// shorter, the less can be amiss in it; the longer, the more there is to go by.
var windows = [...]int64{int64(time.Second), int64(10 * time.Second), int64(100 * time.Second)}

// aligner goes from wait to wait.
type aligner struct {
	n      int
	wait   func(int) Wait
	sleeps map[int32][]sleep
	able   []able
	first  int64 // from when on the clock may have gone wrong
	out    *Alignment

	fit
	locked   bool
	begun    int64 // end of the first wait of this piece
	last     int64 // end of the last wait that had a sleep
	misses   int   // since then, or since a line was looked for
	patience int
	work     int
}

// able is a wait that must have a sleep.
type able struct{ wait, chunk uint32 }

// Align finds the lines for n waits, which come in the order of their ends; where
// one ends before the last did, a chunk begins. The clock has gone since first.
func (s *Sleeps) Align(first int64, n int, wait func(int) Wait) *Alignment {
	a := &aligner{n: n, wait: wait, first: first, sleeps: s.byThread(), out: &Alignment{}, patience: 1}
	a.choose()
	for k := 0; k < len(a.able); {
		k = a.next(k)
	}
	a.out.count(a)
	return a.out
}

func (a *aligner) choose() {
	chunk, last := uint32(0), int64(0)
	for i := range a.n {
		w := a.wait(i)
		if w.End < last {
			chunk++
		}
		last = w.End
		if w.End-w.Start >= Least && len(a.sleeps[w.TID]) > 0 {
			a.able = append(a.able, able{uint32(i), chunk})
		}
	}
}

func (a *aligner) at(k int) Wait { return a.wait(int(a.able[k].wait)) }

// next goes on by a wait, or back to the first of those that had no sleep.
func (a *aligner) next(k int) int {
	if a.locked && a.pair(k) {
		return k + 1
	}
	a.misses++
	if k > 0 && a.able[k].chunk != a.able[k-1].chunk {
		a.misses = 1
	} else if a.misses < a.patience {
		return k + 1
	}
	if begin, ok := a.lock(k + 1 - a.misses); ok {
		a.pair(begin)
		return begin + 1
	}
	a.misses, a.patience = 0, min(max(2*a.patience, patience), mostPatience)
	return k + 1
}

// pair takes a wait, if it has a sleep.
func (a *aligner) pair(k int) bool {
	w := a.at(k)
	ns, ok := late(a.sleeps[w.TID], w, a.Line, doubt(w.End-a.last))
	if !ok {
		return false
	}
	a.add(w.End, a.At(w.End)-ns, ns < 0)
	if max(w.End-a.begun, a.begun-w.End) >= pieceLength {
		a.out.Pieces = append(a.out.Pieces, Piece{int(a.able[k].wait), a.Line})
		a.begun = w.End
	}
	a.last, a.misses, a.patience = w.End, 0, max(a.patience-1, patience)
	return true
}

// lock looks for another line for the waits from one on. It returns the first
// that has a sleep by it.
func (a *aligner) lock(from int) (begin int, ok bool) {
	f, begin, ok := a.look(from, len(a.able))
	for ok && begin-from >= fewest { // it need not be the line of those before
		g, first, found := a.look(from, begin)
		if !found {
			break
		}
		f, begin = g, first
	}
	if !ok {
		return 0, false
	}
	end := a.at(begin).End
	if a.locked {
		if apart := f.At(end) - a.At(end); max(apart, -apart) <= soon+doubt(end-a.last) {
			return 0, false
		}
		f.learn(&a.fit)
		a.out.Jumps++
	}
	a.out.Pieces = append(a.out.Pieces, Piece{a.border(from, begin), f.Line})
	a.fit, a.locked, a.begun, a.last, a.misses, a.patience = f, true, end, end, 0, patience
	return begin, true
}

// border is the first wait that a line is for, of those from the last that had a
// sleep by another on to the first that has one by it: where a chunk begins, or
// after the longest time without a wait. For a clock that was late jumps over some.
func (a *aligner) border(from, begin int) int {
	if from == 0 {
		return 0
	}
	border, longest := 0, int64(-1)
	for i := int(a.able[from-1].wait) + 1; i <= int(a.able[begin].wait); i++ {
		gap := a.wait(i).End - a.wait(i-1).End
		if gap < 0 {
			return i
		}
		if gap > longest {
			border, longest = i, gap
		}
	}
	return border
}

// look finds a line for the waits of a short time or a longer one, of some at
// most.
func (a *aligner) look(from, most int) (f fit, begin int, ok bool) {
	if a.work >= maxWork {
		a.out.Spent = true
		return f, begin, false
	}
	to := from
	for _, window := range windows {
		next := min(a.until(from, window), most)
		if next == to {
			continue
		}
		to = next
		if g, first := a.elect(from, to); first >= from {
			f, begin, ok = g, first, true
		}
		if ok && f.known(farApart) {
			break
		}
	}
	return f, begin, ok
}

// until is the end of the waits of a time, in one chunk.
func (a *aligner) until(from int, window int64) int {
	end, chunk := a.at(from).End+window, a.able[from].chunk
	return from + sort.Search(len(a.able)-from, func(i int) bool {
		return a.able[from+i].chunk > chunk || a.at(from+i).End > end
	})
}
