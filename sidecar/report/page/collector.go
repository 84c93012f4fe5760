package page

import (
	"maps"
	"math"
	"sync"
	"time"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// Options of New.
type Options struct {
	SLO time.Duration
	// Objective is that of a topic; nil: SLO is all topics'. What takes as long or
	// longer is slow.
	Objective func(topic string) time.Duration
	// Brief collects no traces and no activities: for comparisons.
	Brief bool
	// Small keeps less: for what goes on and on.
	Small bool
	// Relative counts time from where each source begins, so that the columns of
	// several sources lie upon one another.
	Relative bool
}

// Collector takes the assembler's rows and traces, as its Output, and keeps what
// a page shows of them. What it keeps is bounded, however long it goes on. It is
// safe for concurrent use: a page may be made while rows come in.
type Collector struct {
	o Options

	mu                                 sync.Mutex
	sources                            []Source
	from, to                           int64 // Unix ns; of all that was seen
	begin                              int64 // of the source, where time is relative
	requests, appends, writes, commits latencies
	waits                              latencies
	unanswered                         uint64
	slow, slowAppends                  Slow
	causes                             causes
	topics                             topics
	threads                            threads
	timeline                           timeline
	incidents                          incidents
	activities                         activities
	keeper                             keeper
	last                               lastRequest
	notices                            []string
	lost, lostNow                      map[string]uint64 // of the sources before, and of this one
}

// lastRequest is the row before the trace of the same request.
type lastRequest struct {
	id       string // of its trace
	incident *incident
	start    int64
	ns       int64
}

// New returns a Collector that has seen nothing.
func New(o Options) *Collector {
	if o.Objective == nil {
		o.Objective = func(string) time.Duration { return o.SLO }
	}
	l := &whole
	if o.Small {
		l = &small
	}
	of := latencies{limit: l.exact}
	return &Collector{o: o, from: math.MaxInt64, to: math.MinInt64, begin: math.MinInt64,
		requests: of, appends: of, writes: of, commits: of, waits: of, incidents: incidents{limits: l}, activities: activities{limit: l.activities},
		causes: causes{}, topics: topics{}, threads: threads{}, keeper: newKeeper(l), lost: map[string]uint64{}}
}

// Rows are those that the Collector wants.
func (c *Collector) Rows() assemble.Rows {
	return assemble.Rows{Requests: true, Writes: true, Waits: true, Commits: true, Traces: true}
}

// KeepsTraces says whether what traces hold is of any use.
func (c *Collector) KeepsTraces() bool { return !c.o.Brief }

// Begin says that what follows is of another source.
func (c *Collector) Begin(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sources = append(c.sources, Source{Name: name})
	for what, n := range c.lostNow {
		c.lost[what] += n
	}
	c.lostNow = nil
	c.begin = math.MinInt64
}

// maxNotices bounds what is said about the sources.
const maxNotices = 64

// Notice is something that a reader of the page has to know.
func (c *Collector) Notice(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.notices) < maxNotices {
		c.notices = append(c.notices, text(what))
	}
}

// Lost says what could not be seen of the source so far, by what it is.
func (c *Collector) Lost(what map[string]uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lostNow = maps.Clone(what)
}

// Empty says whether there is nothing to show.
func (c *Collector) Empty() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.requests.count+c.appends.count+c.writes.count+c.commits.count+c.waits.count+c.unanswered == 0
}

// saw notes when something was, and says when that is for the timeline.
func (c *Collector) saw(start, end int64) int64 {
	c.from, c.to = min(c.from, start), max(c.to, end)
	if !c.o.Relative {
		return end
	}
	if c.begin == math.MinInt64 {
		c.begin = start
	}
	return end - c.begin
}

// Request takes a finished request.
func (c *Collector) Request(r *assemble.RequestRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = lastRequest{id: r.TraceID}
	if len(c.sources) > 0 {
		c.sources[len(c.sources)-1].Requests++
	}
	name := topicOf(r)
	t := c.topics.of(name)
	t.add(r)
	if r.Latency == nil {
		c.unanswered++
		c.saw(r.Arrival, r.Arrival)
		return
	}
	ns := *r.Latency
	at := c.saw(r.Arrival, r.Arrival+ns)
	c.requests.add(t.group, ns)
	objective, slow := c.objective(name, ns)
	c.timeline.add(seriesRequests, at, ns, slow)
	if !slow {
		return
	}
	if len(c.sources) > 0 {
		c.sources[len(c.sources)-1].Slow++
	}
	c.slow.add(ns, objective)
	t.slow.add(ns, objective)
	key := causeKey{root: spans.Cause(r.RootCause)}
	if r.WaitReason != nil {
		key.reason = *r.WaitReason
	}
	c.causes.add(key, ns, objective, true)
	x := c.incidents.slow(r.Arrival, r.Arrival+ns)
	x.slow.add(ns, objective)
	x.causes.add(key, ns, objective, true)
	x.topic(name, 1)
	c.last.incident, c.last.start, c.last.ns = x, r.Arrival, ns
}

// objective is that of a request, in ns, and whether it missed it.
func (c *Collector) objective(topic string, ns int64) (objective int64, missed bool) {
	if topic == several || topic == noTopic {
		topic = ""
	}
	objective = int64(c.o.Objective(topic))
	return objective, objective > 0 && ns >= objective
}

// Write takes a write to a segment.
func (c *Collector) Write(r *assemble.WriteRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.saw(r.Start, r.End)
	c.writes.add(0, r.Latency)
	c.timeline.add(seriesWrites, at, r.Latency, false)
	c.threads.of(r.PID, r.TID, r.Thread).Writes.add(r.Latency)
	c.did(activity{start: r.Start, end: r.End, kind: writing, pid: r.PID, tid: r.TID, name: r.Thread, about: r.File})
}

// Wait takes a wait for a monitor.
func (c *Collector) Wait(r *assemble.WaitRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.saw(r.Start, r.End)
	c.waits.add(0, r.Latency)
	c.threads.of(r.PID, r.TID, r.Thread).Waits.add(r.Latency)
	for i := range r.Holders {
		h := &r.Holders[i]
		c.threads.of(r.PID, h.TID, h.Thread).Held += h.NS
	}
	c.did(activity{start: r.Start, end: r.End, kind: locked, pid: r.PID, tid: r.TID, name: r.Thread, about: r.Class})
}

// Commit takes a journal commit.
func (c *Collector) Commit(r *assemble.CommitRow) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.saw(r.Start, r.End)
	c.commits.add(0, r.Latency)
	c.timeline.add(seriesCommits, at, r.Latency, false)
	row := *r
	row.Held = nil
	c.did(activity{start: r.Start, end: r.End, kind: committing, commit: &row})
}

// Joined and Stack are not asked for.
func (c *Collector) Joined(*assemble.JoinedRow) {}

// Stack likewise.
func (c *Collector) Stack(*assemble.StackRow) {}

// did remembers what a thread did until it is known what that is part of.
func (c *Collector) did(act activity) {
	if c.o.Brief || act.end-act.start < minActivity {
		return
	}
	if old, full := c.activities.add(act); full {
		c.incidents.saw(old)
	}
}
