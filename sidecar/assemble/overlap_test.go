package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

func aHandleWait(tid int32, from, to event.Time, transaction uint32) *event.JournalWait {
	return &event.JournalWait{Start: from, End: to, Thread: aThread(tid), Device: disk, Transaction: transaction}
}

func aDirtyInode(tid int32, from, to event.Time) *event.DirtyInode {
	return &event.DirtyInode{Start: from, End: to, Thread: aThread(tid), Device: disk, Inode: 42, FileSystem: "ext4"}
}

// one is a request with one write of 1 to 300 ms and what happens inside it.
func one(s *script, inside ...event.Event) *spans.Trace {
	s.play(append(inside, aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+300*ms, 10, 11), aResponse(1, t0+302*ms, 10))...)
	return s.trace(1)
}

// A thread that waits to join transaction 100 waits for 99 to be locked: that is
// exact, wherever in the write it stands, and the commit's row names it.
func TestHandleWait(t *testing.T) {
	for _, inDirty := range []bool{true, false} {
		s := newScript(t)
		events := append(aCommit(99, t0-5*ms, t0+280*ms, 0), aHandleWait(5, t0+3*ms, t0+250*ms, 100))
		events[1].(*event.Commit).Flushing = t0 + 251*ms
		parent := "fs.write"
		if inDirty {
			events = append(events, aDirtyInode(5, t0+2*ms, t0+251*ms))
			parent = "ext4_dirty_inode"
		}
		tr := one(s, events...)
		h := s.span(tr, "jbd2.handle_wait")
		if p := s.parent(tr, h); p.Name != parent || value(h, spans.KeyTransaction) != "100" {
			t.Errorf("below %s: %v", p.Name, h.Attributes)
		}
		var exact, inferred int
		for i := range tr.Spans {
			switch c := &tr.Spans[i]; {
			case c.Name != "jbd2.commit":
			case c.Parent == h.ID && c.Start == h.Start && c.End == h.End && value(c, spans.KeyJoin) == "exact":
				exact++
			case value(c, spans.KeyJoin) == "inferred":
				inferred++
			}
		}
		if exact != 1 || inferred != 2 {
			t.Errorf("%d commits in the wait, %d elsewhere", exact, inferred)
		}
		if c := s.requests[0].Cause; c != "jbd2.commit" {
			t.Errorf("cause %s", c)
		}
		row := s.commits[0]
		last := row.Held[0]
		if len(row.Held) != 1 || last.What != "handle_wait" || last.Inode != nil || last.TID != 5 {
			if !inDirty || len(row.Held) != 2 {
				t.Errorf("held %+v", row.Held)
			}
		}
		if n := value(s.traces[s.span(tr, "jbd2.commit").Links[0].Trace].Root(), spans.KeyHeld); n != map[bool]string{true: "1", false: "0"}[inDirty] {
			t.Errorf("%s ext4_dirty_inode held up", n)
		}
	}
}

// Who waits on after the transaction was flushed does not wait for its lock.
func TestHandleWaitBeyondTheLock(t *testing.T) {
	s := newScript(t)
	events := append(aCommit(99, t0+2*ms, t0+280*ms, 0), aHandleWait(5, t0+3*ms, t0+250*ms, 100))
	events[1].(*event.Commit).Flushing = t0 + 100*ms
	tr := one(s, events...)
	h := s.span(tr, "jbd2.handle_wait")
	got := map[string]int64{}
	for i := range tr.Spans {
		if c := &tr.Spans[i]; c.Parent == h.ID {
			got[value(c, spans.KeyJoin)] += c.End - c.Start
		}
	}
	if got["exact"] != int64(97*ms) || got["inferred"] != int64(150*ms) {
		t.Errorf("%v", got)
	}
}

// The wait was for something else than this commit to be locked.
func TestHandleWaitForAnother(t *testing.T) {
	s := newScript(t)
	tr := one(s, append(aCommit(99, t0+4*ms, t0+200*ms, 0), aHandleWait(5, t0+3*ms, t0+250*ms, 0))...)
	if c := s.span(tr, "jbd2.commit"); value(c, spans.KeyJoin) != "inferred" || s.parent(tr, c).Name != "jbd2.handle_wait" {
		t.Errorf("%v", c.Attributes)
	}
}

// XFS: the thread slept for room in the log.
func TestLogGrant(t *testing.T) {
	s := newScript(t)
	w := aHandleWait(5, t0+3*ms, t0+250*ms, 0)
	w.Grant = true
	tr := one(s, w)
	if g := s.span(tr, "xfs.log_grant"); s.parent(tr, g).Name != "fs.write" {
		t.Errorf("%+v", g)
	}
	if c := s.requests[0].Cause; c != "xfs.log" {
		t.Errorf("cause %s", c)
	}
}

// That a fast commit of another thread held up a write is a guess, until a stack
// says so: what it blocks differs between kernels.
func TestFastCommit(t *testing.T) {
	for name, c := range map[string]struct {
		inside []event.Event
		parent string
	}{
		"in a handle wait": {[]event.Event{aHandleWait(5, t0+3*ms, t0+250*ms, 100)}, "jbd2.handle_wait"},
		"beside a commit":  {append(aCommit(98, t0+2*ms, t0+4*ms, 0), aHandleWait(5, t0+3*ms, t0+250*ms, 100)), "jbd2.handle_wait"},
		"in a dirty inode": {[]event.Event{aDirtyInode(5, t0+3*ms, t0+250*ms)}, "ext4_dirty_inode"},
		"elsewhere":        {nil, "fs.write"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t)
			fast := &event.FastCommit{Start: t0 + 5*ms, End: t0 + 249*ms, Thread: event.Thread{PID: 99, TID: 99, Name: "postgres"}, Device: disk, Transaction: 99, Blocks: 3}
			tr := one(s, append(c.inside, fast)...)
			f := s.span(tr, "ext4.fast_commit")
			if p := s.parent(tr, f); value(f, spans.KeyJoin) != "inferred" || p.Name != c.parent {
				t.Errorf("%s, below %s", value(f, spans.KeyJoin), p.Name)
			}
			if f.Start != int64(fast.Start) || f.End != int64(fast.End) {
				t.Errorf("%d..%d", f.Start, f.End)
			}
			s.leads(f.Links[0], spans.LinkCommit, "ext4.fast_commit")
			if c := s.requests[0].Cause; c != "ext4.fast_commit" {
				t.Errorf("cause %s", c)
			}
			if s.brokers[99] != nil {
				t.Error("a process that is no broker became one")
			}
		})
	}
}

// A fast commit lets a commit end first: until then it is the commit's time.
func TestFastCommitBehindCommit(t *testing.T) {
	s := newScript(t)
	tr := one(s, append(aCommit(98, t0-5*ms, t0+100*ms, 0), aDirtyInode(5, t0+10*ms, t0+250*ms),
		&event.FastCommit{Start: t0 + 5*ms, End: t0 + 249*ms, Thread: aThread(6), Device: disk})...)
	f, c := s.span(tr, "ext4.fast_commit"), s.spansOf(tr, "jbd2.commit")
	if f.Start != int64(t0+100*ms) || f.End != int64(t0+249*ms) || c[0].End != f.Start {
		t.Errorf("%+v, %+v", f, c)
	}
}

// A fast commit that did not succeed is none: what was done instead is seen.
func TestFailedFastCommit(t *testing.T) {
	s := newScript(t)
	s.play(append(aCommit(99, t0+5*ms, t0+289*ms, 5), aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		&event.FastCommit{Start: t0 + 4*ms, End: t0 + 290*ms, Thread: aThread(5), Device: disk, Transaction: 99, Status: 1},
		anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))...)
	tr := s.trace(1)
	for _, x := range tr.Spans {
		if x.Name == "ext4.fast_commit" {
			t.Error("it is in the trace")
		}
	}
	if c := s.span(tr, "jbd2.commit"); s.parent(tr, c).Name != "fs.fsync" || value(c, spans.KeyJoin) != "exact" {
		t.Errorf("%+v", c)
	}
}

// An fsync's own fast commit, or log force, is nested in it: exact.
func TestOwnFlush(t *testing.T) {
	for name, e := range map[string]event.Event{
		"ext4.fast_commit": &event.FastCommit{Start: t0 + 4*ms, End: t0 + 290*ms, Thread: aThread(5), Device: disk, Transaction: 99},
		"xfs.log_force":    &event.LogForce{Start: t0 + 4*ms, End: t0 + 290*ms, Thread: aThread(5), Device: disk, Sync: true},
	} {
		s := newScript(t)
		s.play(aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), e, anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))
		tr := s.trace(1)
		f := s.span(tr, name)
		if s.parent(tr, f).Name != "fs.fsync" || value(f, spans.KeyJoin) != "exact" {
			t.Errorf("%s: %v", name, f)
		}
		s.leads(f.Links[0], f.Links[0].Attributes[0].Value.AsString(), name)
		if c, want := s.requests[0].Cause, map[string]string{"xfs.log_force": "xfs.log"}[name]; c != want && c != name {
			t.Errorf("cause %s", c)
		}
	}
}

// Another thread's log force says nothing of a write that did not sleep, or for
// another reason; of one that waited for the log it is likely.
func TestLogForceOfAnother(t *testing.T) {
	pinned := &event.Stack{Reason: stack.XFSPinned}
	for name, c := range map[string]struct {
		stay *event.OffCPU
		want int
	}{
		"not seen":          {nil, 0},
		"for an inode lock": {aStay(5, t0+5*ms, t0+200*ms, t0+200*ms, inodeStack), 0},
		"short":             {aStay(5, t0+5*ms, t0+5*ms+900*us, t0+5*ms+900*us, pinned), 0},
		"for the log":       {aStay(5, t0+5*ms, t0+200*ms, t0+200*ms, pinned), 1},
	} {
		s := newScript(t)
		events := []event.Event{&event.LogForce{Start: t0 + 4*ms, End: t0 + 290*ms, Thread: aThread(6), Device: disk, Sync: true}}
		if c.stay != nil {
			events = append(events, c.stay)
		}
		tr := one(s, events...)
		all := s.spansOf(tr, "xfs.log_force")
		if len(all) != c.want {
			t.Errorf("%s: %d", name, len(all))
		}
		for _, x := range all {
			if value(x, spans.KeyJoin) != "inferred" || x.End-x.Start != int64(195*ms) {
				t.Errorf("%s: %+v", name, x)
			}
		}
	}
}

// In an ext4_dirty_inode, too, why the thread slept decides: what it lacked a CPU
// for is no commit's, and for a buffer that is being read it is a guess.
func TestDirtyInodeByReason(t *testing.T) {
	for name, c := range map[string]struct {
		stack *event.Stack
		how   string
	}{
		"for the journal": {bufferStack, "exact"},
		"unknown":         {&event.Stack{}, "exact"},
		"for a page":      {lockStack, "inferred"},
		"for an inode":    {inodeStack, ""},
	} {
		s := newScript(t)
		tr := one(s, append(aCommit(99, t0-5*ms, t0+280*ms, 0), aDirtyInode(5, t0+2*ms, t0+260*ms),
			aStay(5, t0+3*ms, t0+100*ms, t0+250*ms, c.stack))...)
		all := s.spansOf(tr, "jbd2.commit")
		if c.how == "" {
			if len(all) > 0 {
				t.Errorf("%s: %+v", name, all[0])
			}
			continue
		}
		if len(all) != 1 || value(all[0], spans.KeyJoin) != c.how || all[0].End-all[0].Start != int64(97*ms) {
			t.Errorf("%s: %+v", name, all)
		}
	}
}

// Of a wait for a handle that went on after the transaction was flushed only
// what the thread slept for the journal is a commit's.
func TestHandleWaitWithoutACPU(t *testing.T) {
	s := newScript(t)
	events := append(aCommit(99, t0+2*ms, t0+280*ms, 0), aHandleWait(5, t0+3*ms, t0+250*ms, 100),
		aStay(5, t0+3*ms, t0+100*ms, t0+250*ms, &event.Stack{Reason: stack.TransactionLocked}))
	events[1].(*event.Commit).Flushing = t0 + 100*ms
	tr := one(s, events...)
	h := s.span(tr, "jbd2.handle_wait")
	var sum int64
	for _, c := range s.spansOf(tr, "jbd2.commit") {
		if c.Parent != h.ID || value(c, spans.KeyJoin) != "exact" {
			t.Errorf("%+v", c)
		}
		sum += c.End - c.Start
	}
	if sum != int64(97*ms) {
		t.Errorf("%d ns of the commit", sum)
	}
}

// However many log forces of others lie in one sleep: the longest of them are
// shown, and the time that they took together is the sleep's, not their sum's.
func TestManyOverlaps(t *testing.T) {
	s := newScript(t)
	var events []event.Event
	for i := range event.Time(3 * maxOverlaps) {
		events = append(events, &event.LogForce{Start: t0 + 10*ms, End: t0 + 20*ms + i*100*us, Thread: aThread(100 + int32(i)), Device: disk})
	}
	slept := &event.Stack{Reason: stack.XFSLogForce, Frames: []string{"xfs_log_force"}}
	tr := one(s, append(events, aStay(5, t0+10*ms, 0, t0+30*ms, slept))...)
	all := s.spansOf(tr, spans.NameLogForce)
	if len(all) != maxOverlaps {
		t.Errorf("%d are shown", len(all))
	}
	for _, f := range all {
		if f.End-f.Start < int64(16*ms) {
			t.Errorf("one of %d ns is shown", f.End-f.Start)
		}
	}
	w := s.brokers[7].recent.buf[0]
	var c costs
	w.cost(&c)
	if c[costLog] < 19*ms || c[costLog] > 20*ms || c[costWrite]+c[costLog] != w.ev.End-w.ev.Start {
		t.Errorf("the log took %d of the write, the rest %d", c[costLog], c[costWrite])
	}
}
