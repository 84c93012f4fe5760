package assemble

import (
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// verdict is where a request's time went.
type verdict struct {
	cause, root spans.Cause
	unexplained event.Time
}

// cause is what took most of a write.
func (w *write) cause() spans.Cause {
	c, _ := w.costs()
	return c
}

// costs divides a write: the commits, the rest of its ext4_dirty_inodes, and
// the rest of it.
func (w *write) costs() (spans.Cause, map[spans.Cause]event.Time) {
	var commit, inCommit, dirty event.Time
	for _, o := range w.blocks {
		commit += o.end - o.start
		if o.dirty != nil {
			inCommit += o.end - o.start
		}
	}
	for _, d := range w.dirty {
		dirty += d.End - d.Start
	}
	m := map[spans.Cause]event.Time{
		spans.CauseCommit:     commit,
		spans.CauseDirtyInode: max(0, dirty-inCommit),
		spans.CauseWrite:      max(0, w.ev.End-w.ev.Start-dirty-(commit-inCommit)),
	}
	return largest(m), m
}

// causes in the order in which ties are broken.
var causes = [...]spans.Cause{
	spans.CauseCommit, spans.CauseDirtyInode, spans.CauseWrite, spans.CauseMonitor,
	spans.CauseReplication, spans.CauseReceive, spans.CauseQueue, spans.CauseSend,
	spans.CauseUnexplained,
}

func largest(m map[spans.Cause]event.Time) (best spans.Cause) {
	var most event.Time
	for _, c := range causes {
		if m[c] > most {
			best, most = c, m[c]
		}
	}
	return best
}

// judge says what took most of the request, and what that leads back to.
func (r *request) judge() verdict {
	m := map[spans.Cause]event.Time{}
	for _, p := range r.phases() {
		own := p.end - p.start
		for _, w := range r.waits {
			if n := min(w.end, p.end) - max(w.start, p.start); n > 0 {
				m[spans.CauseMonitor] += n
				own -= n
			}
		}
		if p.write != nil {
			own -= p.write.ev.End - p.write.ev.Start
			_, costs := p.write.costs()
			for c, n := range costs {
				m[c] += n
			}
		}
		m[p.cause] += max(0, own)
	}
	v := verdict{cause: largest(m), unexplained: m[spans.CauseUnexplained]}
	v.root = v.cause
	if v.cause == spans.CauseMonitor {
		v.root = r.longestWait().root
	}
	return v
}

func (r *request) longestWait() *wait {
	var best *wait
	for _, w := range r.waits {
		if best == nil || w.end-w.start > best.end-best.start {
			best = w
		}
	}
	return best
}
