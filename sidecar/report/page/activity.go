package page

import "github.com/tailspan/tailspan/sidecar/assemble"

const (
	// minActivity is the shortest that is drawn.
	minActivity = 200_000 // ns
	// lanesAround is how much of the time before and after an incident is drawn.
	lanesAround = 20_000_000 // ns
)

type activityKind uint8

const (
	writing activityKind = iota
	locked
	committing
)

// activity is what a thread did for a while, or a commit.
type activity struct {
	start, end int64 // Unix ns
	kind       activityKind
	pid, tid   int32
	name       string              // of the thread
	about      string              // the file, or the lock's class
	commit     *assemble.CommitRow // without what it held
}

// activities are the latest ones, in a ring.
type activities struct {
	limit int
	ring  []activity
	next  int
}

// add remembers an activity; it returns the one that has to be forgotten for it,
// if there is one.
func (a *activities) add(act activity) (old activity, full bool) {
	if len(a.ring) < a.limit {
		a.ring = append(a.ring, act)
		return activity{}, false
	}
	old, a.ring[a.next] = a.ring[a.next], act
	a.next = (a.next + 1) % a.limit
	return old, true
}
