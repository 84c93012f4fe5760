package page

import (
	"cmp"
	"slices"

	"github.com/tailspan/tailspan/spans"
)

const (
	// incidentGap is how far apart slow requests may lie and be of one incident.
	incidentGap = 50_000_000 // ns

	maxRootsOfOne   = 24
	leastRootsOfOne = 3

	maxActivities = 2048 // of one incident
)

// root is a slow request, or append, whose trace is kept.
type root struct {
	trace *spans.Trace
	ns    int64
}

// incident is a stretch of time in which a slow request was under way at every
// moment, but for gaps.
type incident struct {
	start, end int64 // Unix ns
	slow       Slow
	appends    uint64 // of them
	causes     causes
	topics     map[string]uint64
	roots      []root // the slowest first
	activities []activity
	omitted    uint64 // activities that found no room
}

// incidents are in the order of time, and apart.
type incidents struct {
	limits  *limits
	list    []*incident
	kept    int // roots, of all
	dropped dropped
}

// dropped are incidents of which only this is known.
type dropped struct {
	Incidents uint64 `json:"incidents"`
	Slow
}

// overlapping are the indices of those that touch a stretch of time.
func (a *incidents) overlapping(start, end int64) (from, to int) {
	from, _ = slices.BinarySearchFunc(a.list, start, func(x *incident, t int64) int {
		return cmp.Compare(x.end, t)
	})
	for to = from; to < len(a.list) && a.list[to].start <= end; to++ {
	}
	return from, to
}

// slow puts a slow request into the incident that it is part of.
func (a *incidents) slow(start, end int64) *incident {
	from, to := a.overlapping(start-incidentGap, end+incidentGap)
	if from == to {
		a.list = slices.Insert(a.list, from, &incident{start: start, end: end, causes: causes{}, topics: map[string]uint64{}})
		return a.limit(a.list[from])
	}
	x := a.list[from]
	for _, o := range a.list[from+1 : to] {
		x.merge(o)
	}
	a.list = slices.Delete(a.list, from+1, to)
	x.start, x.end = min(x.start, start), max(x.end, end)
	return x
}

// limit drops the least costly of too many incidents, but not this one.
func (a *incidents) limit(but *incident) *incident {
	if len(a.list) <= a.limits.incidents {
		return but
	}
	least := -1
	for i, x := range a.list {
		if x != but && (least < 0 || x.slow.Lost < a.list[least].slow.Lost) {
			least = i
		}
	}
	x := a.list[least]
	a.dropped.Incidents++
	a.dropped.merge(&x.slow)
	a.kept -= len(x.roots)
	a.list = slices.Delete(a.list, least, least+1)
	return but
}

func (x *incident) merge(o *incident) {
	x.start, x.end = min(x.start, o.start), max(x.end, o.end)
	x.slow.merge(&o.slow)
	x.appends += o.appends
	x.causes.merge(o.causes)
	for t, n := range o.topics {
		x.topic(t, n)
	}
	for _, act := range o.activities {
		x.activity(act)
	}
	x.omitted += o.omitted
	x.roots = append(x.roots, o.roots...)
	slices.SortStableFunc(x.roots, slower)
}

// maxTopicsOfOne bounds the topics told of one incident.
const maxTopicsOfOne = 64

func (x *incident) topic(name string, n uint64) {
	if _, ok := x.topics[name]; !ok && len(x.topics) >= maxTopicsOfOne {
		name = other
	}
	x.topics[name] += n
}

func (x *incident) activity(act activity) {
	if len(x.activities) >= maxActivities {
		x.omitted++
		return
	}
	x.activities = append(x.activities, act)
}

func slower(a, b root) int { return cmp.Compare(b.ns, a.ns) }

// wants says whether the trace of a slow request is worth building: it would be
// among the slowest of its incident.
func (a *incidents) wants(x *incident, ns int64) bool {
	n := len(x.roots)
	return n < a.quota() || ns > x.roots[n-1].ns
}

// quota is how many traces of an incident there is room for.
func (a *incidents) quota() int {
	return min(max(a.limits.roots/max(len(a.list), 1), leastRootsOfOne), maxRootsOfOne)
}

// keep adds a trace to an incident, in place of a faster one where there is no
// room: of the same incident, or of the one with the most.
func (a *incidents) keep(x *incident, r root) {
	at, _ := slices.BinarySearchFunc(x.roots, r, slower)
	x.roots = slices.Insert(x.roots, at, r)
	a.kept++
	for quota := a.quota(); len(x.roots) > quota; a.kept-- {
		x.roots = x.roots[:len(x.roots)-1]
	}
	for a.kept > a.limits.roots+leastRootsOfOne*a.limits.incidents {
		most := slices.MaxFunc(a.list, func(x, y *incident) int { return cmp.Compare(len(x.roots), len(y.roots)) })
		most.roots = most.roots[:len(most.roots)-1]
		a.kept--
	}
}

// saw gives an activity to the incidents whose picture it is in.
func (a *incidents) saw(act activity) {
	from, to := a.overlapping(act.start-lanesAround, act.end+lanesAround)
	for _, x := range a.list[from:to] {
		x.activity(act)
	}
}
