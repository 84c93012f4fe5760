package assemble

import (
	"cmp"
	"slices"
)

// maxOverlaps bounds the overlaps of one call; commits are few, but beside a
// busy neighbour there may be hundreds of log forces in one sleep.
const maxOverlaps = 32

// mostOf keeps maxOverlaps of them, in their order: the exact ones, then the
// longest.
func mostOf(all []overlap) []overlap {
	return first(all, maxOverlaps, func(x, y *overlap) int {
		return cmp.Or(cmp.Compare(y.how, x.how), cmp.Compare(y.end-y.start, x.end-x.start))
	})
}

// first keeps, in their order, the n that come first by a comparison.
func first[T any](all []T, n int, compare func(x, y *T) int) []T {
	if len(all) <= n {
		return all
	}
	best := make([]int, len(all))
	for i := range best {
		best[i] = i
	}
	slices.SortStableFunc(best, func(i, k int) int { return compare(&all[i], &all[k]) })
	best = best[:n]
	slices.Sort(best)
	kept := make([]T, n)
	for to, i := range best {
		kept[to] = all[i]
	}
	return kept
}

// apart are the overlaps by time, each without what one before it covers:
// several may have held up the same sleep, which took its time once.
func apart(all []overlap) []overlap {
	if len(all) < 2 {
		return all
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(x, y overlap) int { return cmp.Compare(x.start, y.start) })
	covered := all[0].start
	for i := range all {
		o := &all[i]
		o.start = max(o.start, covered)
		o.end = max(o.end, o.start)
		covered = o.end
	}
	return all
}
