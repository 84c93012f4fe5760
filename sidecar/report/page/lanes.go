package page

import (
	"cmp"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// What a thread is seen to do at a moment, the one that counts first. A thread
// inside a write goes on while the JVM stands still; who waits for a lock waits
// for its holder.
const (
	stateWriting = iota
	stateSyncing
	stateLocked
	stateStopped
	stateWorking
	stateReplicating
	stateCount
)

const (
	maxLanes    = 48
	maxSegments = 600 // of one lane; the shortest gaps are closed until it is met
)

// Lanes are what threads did around an incident.
type Lanes struct {
	Start   int64  `json:"start"`
	Length  int64  `json:"length_ns"`
	Lanes   []Lane `json:"lanes"`
	More    int    `json:"more"`    // threads that are not shown
	Omitted uint64 `json:"omitted"` // writes and waits that found no room
}

// Lane is one thread. Totals are by state; Segments are state, start from the
// lanes' start, and length, by turns, apart and in order.
type Lane struct {
	Name     string            `json:"name"`
	PID      int32             `json:"pid"`
	TID      int32             `json:"tid"` // 0: no thread, but the requests that wait for followers
	Totals   [stateCount]int64 `json:"totals_ns"`
	Segments []int64           `json:"segments"`
}

// stretch is a state for a while.
type stretch struct {
	start, end int64
	state      int
}

// lanes collects what threads did within a stretch of time.
type lanes struct {
	start, end int64
	threads    map[threadKey][]stretch
	names      map[threadKey]string
	stops      map[int32][]stretch // by process
}

func newLanes(start, end int64) *lanes {
	return &lanes{start: start, end: end, threads: map[threadKey][]stretch{}, names: map[threadKey]string{}, stops: map[int32][]stretch{}}
}

func (l *lanes) add(k threadKey, name string, s stretch) {
	s.start, s.end = max(s.start, l.start), min(s.end, l.end)
	if s.end <= s.start {
		return
	}
	l.threads[k] = append(l.threads[k], s)
	l.names[k] = name
}

func (l *lanes) activity(act *activity) {
	switch act.kind {
	case writing:
		l.add(threadKey{act.pid, act.tid}, act.name, stretch{act.start, act.end, stateWriting})
	case locked:
		l.add(threadKey{act.pid, act.tid}, act.name, stretch{act.start, act.end, stateLocked})
	}
}

// waitsForFollowers is the lane of what is no thread's.
const waitsForFollowers = "requests that wait for followers"

// trace adds what only a trace says: when a thread worked on a request, waited
// for a lock of java.util.concurrent, synced a file or stood still. Writes and
// waits for monitors have rows of their own.
func (l *lanes) trace(t *spans.Trace) {
	pid := int32(number(t.Root().Attributes, spans.KeyPID))
	if pid == 0 {
		return
	}
	works := map[spans.SpanID]*spans.Span{} // appends, until their thread is known
	for i := range t.Spans {
		s := &t.Spans[i]
		k := threadKey{pid, int32(number(s.Attributes, spans.KeyThreadID))}
		name := str(s.Attributes, spans.KeyThreadName)
		state := -1
		switch {
		case strings.HasPrefix(s.Name, spans.NameAppend+" "):
			works[s.ID] = s
		case s.Name == spans.NameWrite:
			if w := works[s.Parent]; w != nil {
				l.add(k, name, stretch{w.Start, w.End, stateWorking})
			}
		case s.Name == spans.NameFsync:
			state = stateSyncing
		case s.Name == spans.NamePark:
			state = stateLocked
		case s.Name == spans.NameGC, s.Name == spans.NameVMOperation:
			l.stops[pid] = append(l.stops[pid], stretch{max(s.Start, l.start), min(s.End, l.end), stateStopped})
		case s.Name == spans.NameReplication:
			l.add(threadKey{pid, 0}, waitsForFollowers, stretch{s.Start, s.End, stateReplicating})
		}
		if state >= 0 && k.tid != 0 {
			l.add(k, name, stretch{s.Start, s.End, state})
		}
	}
}

// data is handlers first, then who did the most.
func (l *lanes) data(origin int64) *Lanes {
	out := &Lanes{Start: l.start - origin, Length: l.end - l.start, Lanes: []Lane{}}
	for k, all := range l.threads {
		lane := Lane{Name: text(l.names[k]), PID: k.pid, TID: k.tid}
		if k.tid != 0 {
			all = append(all, l.stops[k.pid]...)
		}
		apart := resolve(all)
		for _, s := range apart {
			lane.Totals[s.state] += s.end - s.start
		}
		for _, s := range simplify(apart, (l.end-l.start)/4000) {
			lane.Segments = append(lane.Segments, int64(s.state), s.start-l.start, s.end-s.start)
		}
		out.Lanes = append(out.Lanes, lane)
	}
	slices.SortFunc(out.Lanes, compareLanes)
	if n := len(out.Lanes); n > maxLanes {
		out.More, out.Lanes = n-maxLanes, out.Lanes[:maxLanes]
	}
	return out
}

func compareLanes(a, b Lane) int {
	if x, y := isHandler(a.Name), isHandler(b.Name); x != y {
		if x {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.TID, b.TID))
}

func isHandler(name string) bool { return strings.Contains(name, "kafka-request-handler-") }

// resolve makes stretches that do not overlap: at each moment what counts first.
func resolve(all []stretch) (apart []stretch) {
	type edge struct {
		at   int64
		by   int
		what int
	}
	edges := make([]edge, 0, 2*len(all))
	for _, s := range all {
		if s.end > s.start {
			edges = append(edges, edge{s.start, 1, s.state}, edge{s.end, -1, s.state})
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	var active [stateCount]int
	for i, e := range edges {
		if i > 0 && e.at > edges[i-1].at {
			if state := slices.IndexFunc(active[:], func(n int) bool { return n > 0 }); state >= 0 {
				apart = extend(apart, stretch{edges[i-1].at, e.at, state})
			}
		}
		active[e.what] += e.by
	}
	return apart
}

func extend(all []stretch, s stretch) []stretch {
	if n := len(all); n > 0 && all[n-1].end == s.start && all[n-1].state == s.state {
		all[n-1].end = s.end
		return all
	}
	return append(all, s)
}

// simplify leaves out what is too short to be seen until few enough are left.
func simplify(all []stretch, least int64) []stretch {
	for ; len(all) > maxSegments; least *= 2 {
		least = max(least, 1)
		var fewer []stretch
		for _, s := range all {
			if n := len(fewer); n > 0 && fewer[n-1].state == s.state && s.start-fewer[n-1].end < least {
				fewer[n-1].end = s.end
			} else if s.end-s.start >= least {
				fewer = append(fewer, s)
			}
		}
		all = fewer
	}
	return all
}

func number(all []attribute.KeyValue, key attribute.Key) int64 {
	for i := range all {
		if all[i].Key == key {
			return all[i].Value.AsInt64()
		}
	}
	return 0
}

func str(all []attribute.KeyValue, key attribute.Key) string {
	for i := range all {
		if all[i].Key == key {
			return all[i].Value.AsString()
		}
	}
	return ""
}
