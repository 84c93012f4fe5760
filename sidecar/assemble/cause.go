package assemble

import (
	"slices"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// verdict is where a request's time went.
type verdict struct {
	cause, root spans.Cause
	reason      string // why the kernel let the root cause last; "" not known
	unexplained event.Time
}

// costs is the time that each cause took; the order breaks ties.
type costs [len(causes)]event.Time

var causes = [...]spans.Cause{
	spans.CauseCommit, spans.CauseFastCommit, spans.CauseLog, spans.CauseDirtyInode,
	spans.CauseFsync, spans.CauseWrite, spans.CauseMonitor, spans.CausePark,
	spans.CauseGC, spans.CauseVMOperation,
	spans.CauseReplication, spans.CauseReceive, spans.CauseSocket, spans.CauseThrottle,
	spans.CauseQueue, spans.CauseSend,
	spans.CauseUnexplained,
}

// Indices into causes.
const (
	costCommit = iota
	costFastCommit
	costLog
	costDirtyInode
	costFsync
	costWrite
	costMonitor
	costPark
	costGC
	costVMOperation
	costReplication
	costReceive
	costSocket
	costThrottle
	costQueue
	costSend
	costUnexplained
)

// largest is CauseNone where nothing took any time.
func (c *costs) largest() spans.Cause {
	best := 0
	for i := range c {
		if c[i] > c[best] {
			best = i
		}
	}
	if c[best] == 0 {
		return spans.CauseNone
	}
	return causes[best]
}

// cause is what took most of a write.
func (w *write) cause() spans.Cause {
	var c costs
	w.cost(&c)
	return c.largest()
}

// cost divides a write: the commits and their like, the rest of its
// ext4_dirty_inodes, and the rest of it.
func (w *write) cost(c *costs) {
	var blocked, inDirty, dirty event.Time
	for _, o := range apart(w.blocks) {
		c[o.cost] += o.end - o.start
		blocked += o.end - o.start
		if o.dirty != nil {
			inDirty += o.end - o.start
		}
	}
	for _, d := range w.dirty {
		dirty += d.End - d.Start
	}
	c[costDirtyInode] += max(0, dirty-inDirty)
	c[costWrite] += max(0, w.ev.End-w.ev.Start-dirty-(blocked-inDirty))
}

// judge says what took most of the request, and what that leads back to.
func (r *request) judge(pauses []*event.Pause) verdict {
	var c costs
	if len(pauses) > 0 {
		r.a.stops.of(pauses)
		r.a.stops.busy = union(r.busy(r.a.stops.busy))
	}
	r.a.phases = r.phases(r.a.phases[:0], false)
	for _, p := range r.a.phases {
		own := p.end - p.start
		for _, w := range r.waits {
			if n := min(w.end, p.end) - max(w.start, p.start); n > 0 {
				c[w.kind()] += n
				own -= n
			}
		}
		for _, f := range r.fsyncs {
			if n := min(f.ev.End, p.end) - max(f.ev.Start, p.start); n > 0 {
				if f.ev.Start >= p.start {
					f.cost(&c)
				}
				own -= n
			}
		}
		if p.write != nil {
			own -= p.write.ev.End - p.write.ev.Start
			p.write.cost(&c)
		}
		if len(pauses) > 0 && stoppable(p.cost) {
			own -= r.a.stops.cost(&c, p.start, p.end)
		}
		c[p.cost] += max(0, own)
	}
	v := verdict{cause: c.largest(), unexplained: c[costUnexplained]}
	v.root = v.cause
	switch {
	case v.cause == spans.CauseMonitor, v.cause == spans.CausePark:
		w := r.longestWait(v.cause)
		v.root, v.reason = w.root, w.reason
	case v.cause == spans.CauseSocket && r.before.root != spans.CauseNone:
		v.root, v.reason = r.before.root, r.before.reason
	case slices.Contains(inKernel, v.cause):
		v.reason = r.reason()
	}
	return v
}

// stoppable says whether the broker's own threads work on a request in a phase:
// in the others it waits for its client, a follower, or the request before it.
func stoppable(cost int) bool {
	return cost == costQueue || cost == costUnexplained || cost == costSend
}

// busy adds what the request's threads did for which they need not be in Java.
func (r *request) busy(all []interval) []interval {
	for _, w := range r.waits {
		all = append(all, interval{w.start, w.end})
	}
	for _, f := range r.fsyncs {
		all = append(all, interval{f.ev.Start, f.ev.End})
	}
	for i := range r.parts {
		if w := r.parts[i].write; w != nil {
			all = append(all, interval{w.ev.Start, w.ev.End})
		}
	}
	return all
}

// inKernel are the causes that lie inside writes and fsyncs.
var inKernel = causes[costCommit : costWrite+1]

// reason is why the threads of the request's writes and fsyncs waited for most
// of the time.
func (r *request) reason() string {
	var all reasons
	for i := range r.parts {
		if w := r.parts[i].write; w != nil {
			all.of(w.cpu)
		}
	}
	for _, f := range r.fsyncs {
		all.of(f.cpu)
	}
	return all.longest()
}

// why is the reason of most of what a call waited for; "" where that is not
// known, or it did not wait.
func (c *cpu) why() string {
	if c == nil {
		return ""
	}
	return c.reason
}

func (r *request) longestWait(kind spans.Cause) *wait {
	var best *wait
	for _, w := range r.waits {
		if causes[w.kind()] != kind {
			continue
		}
		if best == nil || w.end-w.start > best.end-best.start {
			best = w
		}
	}
	return best
}
