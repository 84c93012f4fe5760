package page

import (
	"cmp"
	"maps"
	"slices"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

const (
	maxPictures        = 64 // incidents that are shown with all that is known of them
	maxIncidentCommits = 8
	maxIncidentWrites  = 12
)

// Incident is a stall: what was slow at one time, and why.
type Incident struct {
	Number  int    `json:"number"` // from 1, in the order of time
	Start   int64  `json:"start"`
	Length  int64  `json:"length_ns"`
	Slow           // requests, and appends of which no request could be read
	Appends uint64 `json:"appends"` // of Count

	Causes   []Cause     `json:"causes"`
	Topics   []TopicSlow `json:"topics"`
	Requests []string    `json:"requests"` // the ids of the kept ones' traces, the slowest first

	// The rest is there of the most costly incidents only.
	Commits     []IncidentCommit `json:"commits"`
	CommitCount int              `json:"commit_count"` // of 200 µs and longer
	Writes      []IncidentWrite  `json:"writes"`       // the longest
	WriteCount  int              `json:"write_count"`  // of 200 µs and longer
	WriteNS     int64            `json:"write_ns"`     // of these
	Lanes       *Lanes           `json:"lanes"`
}

// TopicSlow is how many slow requests were a topic's.
type TopicSlow struct {
	Name  string `json:"name"`
	Count uint64 `json:"count"`
}

// IncidentCommit is a journal commit during an incident.
type IncidentCommit struct {
	Start       int64  `json:"start"`
	NS          int64  `json:"ns"`
	Device      string `json:"device"`
	Transaction uint32 `json:"transaction"`
	Locking     int64  `json:"locking_ns"`
	Flushing    int64  `json:"flushing_ns"`
	Logging     int64  `json:"logging_ns"`
	Origin      string `json:"origin"`
	By          string `json:"by"`
	TraceID     string `json:"trace_id"`
	Held        int    `json:"held"` // writes and waits of kept traces that link to it
}

// IncidentWrite is a write during an incident.
type IncidentWrite struct {
	Start   int64  `json:"start"`
	NS      int64  `json:"ns"`
	Thread  string `json:"thread"`
	TID     int32  `json:"tid"`
	File    string `json:"file"`
	TraceID string `json:"trace_id"` // of the request, where that is kept
	Commit  string `json:"commit"`   // the trace id of the commit that held it up, where a kept trace says so
}

// scene is an incident with what is needed to draw it.
type scene struct {
	out        *Incident
	start, end int64
	activities []activity
	omitted    uint64
	traces     []*spans.Trace // those of its requests and all that they lead to
}

// details fills in incidents and traces; it is called with the lock held, what it
// returns is not.
func (c *Collector) details(p *Page, origin int64) func() {
	p.Incidents = make([]Incident, len(c.incidents.list))
	scenes := make([]*scene, len(c.incidents.list))
	for i, x := range c.incidents.list {
		p.Incidents[i] = x.data(i+1, origin)
		scenes[i] = &scene{out: &p.Incidents[i], start: x.start, end: x.end}
	}
	drawn := costliest(scenes, maxPictures)
	p.IncidentsFlat = len(scenes) - len(drawn)
	for _, s := range drawn {
		x := c.incidents.list[s.out.Number-1]
		s.activities, s.omitted = slices.Clone(x.activities), x.omitted
		for _, r := range x.roots {
			c.keeper.reach(r.trace, func(t *spans.Trace) bool {
				s.traces = append(s.traces, t)
				return true
			})
		}
	}
	for i := range c.activities.ring {
		act := &c.activities.ring[i]
		from, to := c.incidents.overlapping(act.start-lanesAround, act.end+lanesAround)
		for j := from; j < to; j++ {
			if scenes[j].traces != nil {
				scenes[j].activities = append(scenes[j].activities, *act)
			}
		}
	}
	roots, kept := c.ordered(), maps.Clone(c.keeper.traces)
	return func() {
		for _, s := range drawn {
			s.draw(origin)
		}
		p.encode(roots, kept, origin)
	}
}

// costliest are the n that lost the most.
func costliest(all []*scene, n int) []*scene {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *scene) int { return cmp.Compare(b.out.Lost, a.out.Lost) })
	return all[:min(n, len(all))]
}

func (x *incident) data(number int, origin int64) Incident {
	out := Incident{Number: number, Start: x.start - origin, Length: x.end - x.start, Slow: x.slow, Appends: x.appends,
		Causes: x.causes.list(), Requests: []string{}, Commits: []IncidentCommit{}, Writes: []IncidentWrite{}}
	for _, r := range x.roots {
		out.Requests = append(out.Requests, r.trace.ID.String())
	}
	for name, n := range x.topics {
		out.Topics = append(out.Topics, TopicSlow{text(name), n})
	}
	slices.SortFunc(out.Topics, func(a, b TopicSlow) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// draw adds what was going on.
func (s *scene) draw(origin int64) {
	l := newLanes(s.start-lanesAround, s.end+lanesAround)
	held := heldBy{commits: map[string]int{}, writes: map[int32][]heldWrite{}}
	seen := map[spans.TraceID]bool{}
	for _, t := range s.traces {
		if !seen[t.ID] {
			seen[t.ID] = true
			l.trace(t)
			held.trace(t)
		}
	}
	for i := range s.activities {
		act := &s.activities[i]
		l.activity(act)
		if act.end < s.start || act.start > s.end {
			continue
		}
		switch act.kind {
		case writing:
			s.out.WriteCount++
			s.out.WriteNS += act.end - act.start
			s.out.Writes = append(s.out.Writes, act.write(origin, &held))
		case committing:
			s.out.CommitCount++
			s.out.Commits = append(s.out.Commits, commitData(act.commit, origin, &held))
		}
	}
	slices.SortFunc(s.out.Writes, func(a, b IncidentWrite) int {
		return cmp.Or(cmp.Compare(b.NS, a.NS), cmp.Compare(a.Start, b.Start))
	})
	s.out.Writes = s.out.Writes[:min(len(s.out.Writes), maxIncidentWrites)]
	slices.SortFunc(s.out.Commits, func(a, b IncidentCommit) int {
		return cmp.Or(cmp.Compare(b.Held, a.Held), cmp.Compare(b.NS, a.NS))
	})
	s.out.Commits = s.out.Commits[:min(len(s.out.Commits), maxIncidentCommits)]
	s.out.Lanes = l.data(origin)
	s.out.Lanes.Omitted = s.omitted
}

func (act *activity) write(origin int64, held *heldBy) IncidentWrite {
	of := held.write(act.tid, act.start)
	return IncidentWrite{Start: act.start - origin, NS: act.end - act.start, Thread: text(act.name), TID: act.tid,
		File: text(act.about), TraceID: of.trace, Commit: of.commit}
}

func commitData(r *assemble.CommitRow, origin int64, held *heldBy) IncidentCommit {
	c := IncidentCommit{Start: r.Start - origin, NS: r.Latency, Device: r.Device, Transaction: r.Transaction,
		Locking: r.Locking, Flushing: r.Flushing, Logging: r.Logging, TraceID: r.TraceID, Held: held.commits[r.TraceID]}
	if r.Origin != nil {
		c.Origin = text(*r.Origin)
	}
	if r.By != nil {
		c.By = text(r.By.Thread)
	}
	return c
}
