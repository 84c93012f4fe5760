package guest

import (
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/vm/plan"
	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// checkCommits wants as many commits as jbd2 itself counted.
func checkCommits(t *testing.T, p *pipeline, from, to event.Time, want int) {
	t.Helper()
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
func checkHeld(t *testing.T, p *pipeline, h *handler, m plan.Mount) {
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
	if held == 0 && fastCommits(t, m) == 0 { // these leave few whole ones
		t.Errorf("no commit held up any of %d writes", len(h.all))
	}
}
