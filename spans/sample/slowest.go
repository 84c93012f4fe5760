package sample

import (
	"cmp"
	"slices"
	"time"
)

// maxSlowest bounds Options.Slowest.
const maxSlowest = 1024

// slowest lists the slowest requests of an interval, the least slow first.
// What is kept anyway has its place there, too.
type slowest struct {
	most int
	list []place
}

type place struct {
	latency time.Duration
	at      uint32 // in the pool; none: is kept
}

func (l *slowest) admits(d time.Duration) bool {
	return len(l.list) < l.most || l.most > 0 && d > l.list[0].latency
}

// add lists what is admitted and returns what had to go for it.
func (l *slowest) add(d time.Duration, at uint32) (out uint32) {
	if len(l.list) == l.most {
		out = l.list[0].at
		l.list = l.list[:copy(l.list, l.list[1:])]
	}
	i, _ := slices.BinarySearchFunc(l.list, d, func(p place, d time.Duration) int { return cmp.Compare(p.latency, d) })
	l.list = slices.Insert(l.list, i, place{d, at})
	return out
}

// kept says that a slot's candidate is.
func (l *slowest) kept(at uint32) {
	for i := range l.list {
		if l.list[i].at == at {
			l.list[i].at = none
		}
	}
}
