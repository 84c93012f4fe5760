package guest

import (
	"slices"
	"testing"
	"time"

	"github.com/tailspan/tailspan/bpf"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// checkCommits wants as many commits as jbd2 itself counted.
func checkCommits(t *testing.T, p *pipeline, from, to event.Time, want int) {
	t.Helper()
	if !p.subjects[bpf.SubjectJournal] {
		t.Log("commits are not seen")
		return
	}
	got := 0
	var longest int64
	for _, c := range p.commits {
		if c.Start < int64(from) || c.End > int64(to) {
			continue
		}
		got++
		longest = max(longest, c.Latency)
		if n := c.Locking + c.Flushing + c.Logging; n > c.Latency || n <= 0 {
			t.Errorf("phases of %+v", c)
		}
	}
	t.Logf("%d commits, the longest %s", got, time.Duration(longest))
	if got != want || want == 0 {
		t.Errorf("%d commits seen, jbd2 counted %d", got, want)
	}
}

// checkHeld wants writes that a commit held up inside ext4_dirty_inode, each
// with a link to the commit's own trace.
func checkHeld(t *testing.T, p *pipeline, h *handler, fast bool) {
	t.Helper()
	held := 0
	for _, r := range p.requests {
		tr := p.traces[r.TraceID]
		for _, c := range named(tr, spans.NameJBD2Commit) {
			if len(c.Links) == 0 {
				t.Errorf("request %d: %s leads nowhere", r.CorrelationID, c.Name)
				continue
			}
			whole := p.traces[c.Links[0].Trace.String()]
			if whole == nil || whole.Root().Name != spans.NameJournalCommit || c.Start < whole.Root().Start || c.End > whole.Root().End {
				t.Errorf("request %d: %s %d..%d is no part of the commit %+v", r.CorrelationID, c.Name, c.Start, c.End, whole)
			}
			for _, d := range named(tr, spans.NameExt4DirtyInode) {
				if c.Parent == d.ID {
					held++
				}
			}
		}
	}
	t.Logf("%d times a commit held up an %s", held, spans.NameExt4DirtyInode)
	if held == 0 && !fast && p.subjects[bpf.SubjectJournal] { // these leave few whole ones
		t.Errorf("no commit held up any of %d writes", len(h.all))
	}
}

// skipped is the status of a fast commit that found all done by another: up to
// 5.15 ext4 counts it as one (fs/ext4/fast_commit.c, ext4_fc_commit).
const skipped = 2

// checkFastCommits wants as many as ext4 itself counted.
func checkFastCommits(t *testing.T, p *pipeline, from, to event.Time, want int) {
	t.Helper()
	if !p.subjects[bpf.SubjectFastCommit] {
		t.Log("fast commits are not seen")
		return
	}
	by := map[int32]int{} // status
	for _, f := range of[*event.FastCommit](p) {
		if f.Device == p.device && f.Start >= from && f.End <= to {
			by[f.Status]++
		}
	}
	if by[0] != want && by[0]+by[skipped] != want {
		t.Errorf("fast commits seen, by status: %v; ext4 counted %d", by, want)
	}
}

// checkOrigins wants to know who had each commit begun: while both threads write
// that is an fsync of one of them, unless fast commits serve them all, and in the
// end our own sync. Where functions are not to be seen it may be unknown, but not
// another's.
func checkOrigins(t *testing.T, p *pipeline, from, to event.Time, h *handler, n *neighbour, fast bool) {
	t.Helper()
	if !p.subjects[bpf.SubjectCommitOrigin] {
		t.Log("the origins of commits are not seen")
		return
	}
	origins := map[event.Origin]int{}
	for _, c := range of[*event.Commit](p) {
		if c.Device != p.device || c.Start < from || c.End > to {
			continue
		}
		origins[c.Origin]++
		if c.Origin == event.OriginFsync && c.By.TID != 0 && c.By.TID != h.tid && c.By.TID != n.tid {
			t.Errorf("transaction %d was asked for by an fsync of %d, not of %d or %d", c.Transaction, c.By.TID, h.tid, n.tid)
		}
	}
	t.Logf("origins of commits: %v", origins)
	if origins[event.OriginSpace] > 0 || origins[event.OriginFsync] == 0 && !fast && p.backends[bpf.SubjectCommitOrigin] == bpf.Fentry {
		t.Errorf("origins of commits: %v", origins)
	}
}

// checkLogForces wants the neighbour's fsyncs to force the log. One whose inode
// another has brought to the disk meanwhile need not (fs/xfs/xfs_file.c,
// xfs_file_fsync asks xfs_ipincount), and now and then a write does, for a buffer
// that is pinned (fs/xfs/xfs_buf.c, xfs_buf_lock).
func checkLogForces(t *testing.T, p *pipeline, n *neighbour) {
	t.Helper()
	if !p.subjects[bpf.SubjectLogForce] {
		t.Log("log forces are not seen")
		return
	}
	forces, outside := 0, 0
	for _, f := range of[*event.LogForce](p) {
		if f.TID != n.tid || f.Device != p.device {
			continue
		}
		forces++
		within := func(c call) bool { return f.Start >= c.before && f.End <= c.after }
		if !slices.ContainsFunc(n.fsyncs, within) {
			t.Logf("the neighbour forced the log outside of its fsyncs: %+v", f)
			outside++
		}
	}
	t.Logf("%d log forces beside %d fsyncs, %d of them outside", forces, len(n.fsyncs), outside)
	if forces == outside || outside > forces/20 {
		t.Errorf("%d of %d log forces of the neighbour lie in no fsync of its", outside, forces)
	}
}
