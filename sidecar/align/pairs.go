package align

import "sort"

// Wait is one for a monitor, in ns of the clock that is to be aligned.
type Wait struct {
	Start, End int64
	TID        int32
}

// taken is what a thread that woke up takes to have its monitor: 5 to 25 µs, on
// JDK 17 at 2 GHz.
const taken = int64(10_000)

// soon and slow are how much sooner than it should, and later, a wait may end:
// nobody has a monitor while he sleeps, but some are held up. drift is by how much
// more for each ns since the last one that had a sleep, widest at most.
const (
	soon   = int64(20_000)
	slow   = int64(150_000)
	drift  = 1e-4
	widest = int64(5_000_000)
)

// doubt is how far a line may be wrong so long after a wait that had a sleep.
func doubt(since int64) int64 {
	return min(int64(drift*float64(max(since, -since))), widest)
}

// slept are the sleeps of a thread that end in a time.
func slept(all []sleep, from, to int64) []sleep {
	i := sort.Search(len(all), func(i int) bool { return all[i].end >= from })
	k := i + sort.Search(len(all)-i, func(k int) bool { return all[i+k].end > to })
	return all[i:k]
}

// slack is how much longer than its sleep a wait may be that has just one. Before
// it the thread looked whether it may have the monitor, and spun; after it, it took
// it: 35 µs in all, 100 µs of 99 in a hundred.
const slack = int64(200_000) // ns

// mostNear is how many sleeps are looked at that end about where one should: of
// one thread there are a few.
const mostNear = 64

// alike says whether a sleep can be a wait's, by how long both are. A wait is
// measured by a clock that may be wrong by the steepest slope.
func alike(w Wait, s *sleep) bool {
	length := w.End - w.Start
	wrong := int64(steepest * float64(length))
	more := length - int64(s.length)
	return more >= -wrong && more <= slack+wrong
}

// late is by how much a wait ends later than it should after the sleep by which
// it ended, if a line is right but for a doubt: the sleep is inside the wait, and
// ends about where it should.
func late(all []sleep, w Wait, l Line, doubt int64) (ns int64, ok bool) {
	start, end := w.Start+l.At(w.Start), w.End+l.At(w.End)-taken
	near := slept(all, end-slow-doubt, end+soon+doubt)
	for i := range min(len(near), mostNear) {
		n := end - near[i].end
		if near[i].start() >= start-soon-doubt && (!ok || max(n, -n) < max(ns, -ns)) {
			ns, ok = n, true
		}
	}
	return ns, ok
}
