package assemble

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/stack"
	"github.com/tailspan/tailspan/spans"
)

var (
	bufferStack = &event.Stack{Reason: stack.JournalBuffer, Frames: []string{"do_get_write_access", "ext4_da_write_end", "vfs_write"}}
	lockStack   = &event.Stack{Reason: stack.PageLock, Frames: []string{"__filemap_get_folio", "ext4_da_write_begin", "vfs_write"}}
	inodeStack  = &event.Stack{Reason: stack.InodeLock, Frames: []string{"down_write", "ext4_buffered_write_iter", "vfs_write"}}
	fastStack   = &event.Stack{Reason: stack.FastCommit, Frames: []string{"ext4_fc_track_inode", "ext4_dirty_inode", "vfs_write"}}
	copyStack   = &event.Stack{Frames: []string{"copy_page", "generic_perform_write", "vfs_write"}}
)

func aStay(tid int32, from, woken, to event.Time, s *event.Stack) *event.OffCPU {
	return &event.OffCPU{Start: from, Woken: woken, End: to, Thread: aThread(tid), Stack: s}
}

func (s *script) spansOf(tr *spans.Trace, name string) (all []*spans.Span) {
	for i := range tr.Spans {
		if tr.Spans[i].Name == name {
			all = append(all, &tr.Spans[i])
		}
	}
	return all
}

func value(s *spans.Span, key attribute.Key) string {
	for _, kv := range s.Attributes {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

func (s *script) want(sp *spans.Span, key attribute.Key, want string) {
	s.t.Helper()
	if got := value(sp, key); got != want {
		s.t.Errorf("%s of %s is %q, want %q", key, sp.Name, got, want)
	}
}

// A write of 100 ms: on its CPU, asleep for several reasons, woken late and
// preempted; the three times make up the write.
func TestKernelWaits(t *testing.T) {
	s := newScript(t)
	at := t0
	w := aWrite(5, at+ms, at+101*ms, 0, 1)
	preempted := aStay(5, at+90*ms, 0, at+95*ms, nil)
	preempted.Preempted = true
	s.play(
		aRequest(1, at, 1, 1),
		aStay(5, at-50*ms, 0, at-20*ms, inodeStack), // of a write that was not seen
		aStay(5, at+10*ms, at+30*ms, at+30*ms, bufferStack),
		aStay(5, at+30*ms+100*us, at+38*ms, at+40*ms, bufferStack), // goes on
		&event.DirtyInode{Start: at + 45*ms, End: at + 80*ms, Thread: aThread(5), Device: 8 << 20, Inode: 42, FileSystem: "ext4"},
		aStay(5, at+50*ms, 0, at+75*ms, lockStack),
		aStay(5, at+85*ms, at+85*ms+30*us, at+85*ms+50*us, nil), // too short to be told
		preempted,
		aStay(5, at+96*ms, at+97*ms, at+97*ms, nil),
		&event.Sample{Time: at - 30*ms, Thread: aThread(5), Stack: copyStack},
		&event.Sample{Time: at + 5*ms, Thread: aThread(5), Stack: lockStack},
		&event.Sample{Time: at + 6*ms, Thread: aThread(5), Stack: copyStack},
		&event.Sample{Time: at + 7*ms, Thread: aThread(5), Stack: &event.Stack{Frames: slices.Clone(copyStack.Frames)}},
		w,
		aResponse(1, at+102*ms, 0),
		// The next write of the thread has nothing to do with it.
		aWrite(5, at+103*ms, at+104*ms, 2, 2),
	)
	tr := s.trace(1)
	write := s.span(tr, spans.NameWrite)
	s.want(write, spans.KeySleep, "53930000")   // 20 + 7.9 + 25 + 0.03 + 1
	s.want(write, spans.KeyRunQueue, "7020000") // 2 + 0.02 + 5
	s.want(write, spans.KeyOnCPU, "39050000")
	s.want(write, spans.KeyReason, stack.JournalBuffer)
	s.want(write, spans.KeySamples, "3")
	s.want(write, spans.KeyStack, strings.Join(copyStack.Frames, "\n"))
	waits := s.spansOf(tr, spans.NameKernelWait)
	dirty := s.span(tr, spans.NameExt4DirtyInode)
	want := []struct {
		parent        *spans.Span
		start, end    event.Time
		reason, sleep string
		runQueue      string
		stack         *event.Stack
	}{
		{dirty, at + 50*ms, at + 75*ms, stack.PageLock, "25000000", "0", lockStack},
		{write, at + 10*ms, at + 40*ms, stack.JournalBuffer, "27900000", "2000000", bufferStack},
		{write, at + 90*ms, at + 95*ms, stack.Preempted, "0", "5000000", nil},
		{write, at + 96*ms, at + 97*ms, stack.Unknown, "1000000", "0", nil},
	}
	if len(waits) != len(want) {
		t.Fatalf("%d waits, want %d: %v", len(waits), len(want), waits)
	}
	for i, x := range want {
		got := waits[i]
		if got.Parent != x.parent.ID || got.Start != int64(x.start) || got.End != int64(x.end) {
			t.Errorf("wait %d is %d..%d in %s", i, got.Start, got.End, got.Parent)
		}
		s.want(got, spans.KeyReason, x.reason)
		s.want(got, spans.KeySleep, x.sleep)
		s.want(got, spans.KeyRunQueue, x.runQueue)
		if x.stack != nil {
			s.want(got, spans.KeyStack, strings.Join(x.stack.Frames, "\n"))
		}
	}
	s.want(tr.Root(), spans.KeyReason, stack.JournalBuffer)
	if r := s.requests[0].WaitReason; r == nil || *r != stack.JournalBuffer {
		t.Errorf("the row's reason is %v", r)
	}
	sum := map[string]int64{}
	for _, r := range s.stacks {
		if r.Write == int64(100*ms) {
			sum[r.Reason] += r.NS
		}
	}
	for reason, ns := range map[string]event.Time{stack.JournalBuffer: 27900 * us, stack.PageLock: 25 * ms, stack.Preempted: 5 * ms,
		stack.Unknown: 1030 * us, reasonRunQueue: 2020 * us, reasonOnCPU: 39050 * us} {
		if sum[reason] != int64(ns) {
			t.Errorf("stacks: %s took %d, want %d", reason, sum[reason], ns)
		}
		delete(sum, reason)
	}
	if len(sum) != 0 {
		t.Errorf("stacks: %v as well", sum)
	}
}

// Where off-CPU time is not seen, nothing is said of it.
func TestNoOffCPU(t *testing.T) {
	s := newScript(t)
	s.play(aRequest(1, t0, 1, 1), aWrite(5, t0+ms, t0+101*ms, 0, 1), aResponse(1, t0+102*ms, 0))
	if write := s.span(s.trace(1), spans.NameWrite); value(write, spans.KeyOnCPU) != "" || len(s.stacks) != 0 {
		t.Errorf("%v, %v", write.Attributes, s.stacks)
	}
}

// Of a commit during a write outside ext4_dirty_inode, the stacks say how much
// of it held the write up, and how sure that is.
func TestCommitByStack(t *testing.T) {
	s := newScript(t)
	at := t0
	s.play(
		aRequest(1, at, 1, 1),
		&event.CommitStart{Time: at + 2*ms, Device: 8 << 20, Transaction: 9},
		aStay(5, at+10*ms, 0, at+30*ms, lockStack),
		aStay(5, at+40*ms, 0, at+60*ms, inodeStack),
		aStay(5, at+70*ms, 0, at+90*ms, bufferStack),
		&event.Commit{Start: at + 2*ms, Locking: at + 3*ms, Flushing: at + 35*ms, Logging: at + 65*ms, End: at + 85*ms, Device: 8 << 20, Transaction: 9},
		aWrite(5, at+ms, at+101*ms, 0, 1),
		aResponse(1, at+102*ms, 0),
	)
	tr := s.trace(1)
	commits := s.spansOf(tr, spans.NameJBD2Commit)
	if len(commits) != 2 {
		t.Fatalf("%d commits: %v", len(commits), commits)
	}
	for i, want := range []struct {
		start, end event.Time
		how, phase string
	}{{at + 10*ms, at + 30*ms, "inferred", "locking"}, {at + 70*ms, at + 85*ms, "exact", "logging"}} {
		if c := commits[i]; c.Start != int64(want.start) || c.End != int64(want.end) {
			t.Errorf("commit %d: %d..%d", i, c.Start, c.End)
		}
		s.want(commits[i], spans.KeyJoin, want.how)
		s.want(commits[i], spans.KeyPhase, want.phase)
	}
	s.want(tr.Root(), spans.KeyCause, string(spans.CauseWrite)) // 65 ms of it were no commit's
}

// How sure a commit that ran meanwhile is follows from what the thread slept for:
// room in the journal may come from elsewhere, too.
func TestCommitByReason(t *testing.T) {
	for reason, want := range map[string]string{
		stack.TransactionLocked: "exact", stack.TransactionSwitching: "exact", stack.JournalBuffer: "exact", stack.CommitToFinish: "exact",
		stack.JournalSpace: "inferred", stack.TransactionReservation: "inferred", stack.BlockIO: "inferred",
		stack.InodeLock: "", stack.FastCommit: "", stack.Futex: "",
	} {
		s := newScript(t)
		tr := one(s, append(aCommit(99, t0+2*ms, t0+200*ms, 0), aStay(5, t0+10*ms, 0, t0+100*ms, &event.Stack{Reason: reason}))...)
		got := ""
		for _, c := range s.spansOf(tr, spans.NameJBD2Commit) {
			got += value(c, spans.KeyJoin)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
}

// A request that waits for the lock of one that waits in the kernel has its
// reason.
func TestReasonOfHolder(t *testing.T) {
	s := newScript(t)
	at := t0
	events := append(aWait(6, at+5*ms, at+99*ms),
		aRequest(1, at, 1, 1), aRequest(2, at+ms, 1, 2),
		aStay(5, at+3*ms, 0, at+97*ms, inodeStack),
		aWrite(5, at+2*ms, at+98*ms, 0, 1), aRelease(5, at+99*ms),
		aWrite(6, at+100*ms, at+101*ms, 2, 2),
		aResponse(1, at+102*ms, 0), aResponse(2, at+103*ms, 2))
	s.play(events...)
	for _, r := range s.requests {
		if r.RootCause != string(spans.CauseWrite) || r.WaitReason == nil || *r.WaitReason != stack.InodeLock {
			t.Errorf("request %d: %s, %v", r.CorrelationID, r.RootCause, r.WaitReason)
		}
	}
}

// However many stays and samples come: what is kept of them is bounded, their
// time is not lost, and the next write begins anew.
func TestStaysAreBounded(t *testing.T) {
	s := newScript(t)
	at := t0
	var events []event.Event
	n := event.Time(2 * maxStays)
	for i := range n {
		k := &event.Stack{Reason: stack.DirtyThrottling, Frames: []string{strings.Repeat("f", int(i)%20+1)}}
		events = append(events, aStay(5, at+i*10*ms, at+i*10*ms+6*ms, at+i*10*ms+8*ms, k), &event.Sample{Time: at + i*10*ms + 9*ms, Thread: aThread(5), Stack: k})
	}
	end := at + n*10*ms
	events = append(events, aRequest(1, at, 1, 1), aWrite(5, at, end, 0, 1), aResponse(1, end+ms, 0),
		aRequest(2, end+2*ms, 1, 2), aWrite(5, end+3*ms, end+4*ms, 2, 2), aResponse(2, end+5*ms, 2))
	s.play(events...)
	write := s.span(s.trace(1), spans.NameWrite)
	s.want(write, spans.KeySleep, strconv.Itoa(int(n*6*ms)))
	s.want(write, spans.KeyRunQueue, strconv.Itoa(int(n*2*ms)))
	s.want(write, spans.KeyOnCPU, strconv.Itoa(int(n*2*ms)))
	s.want(write, spans.KeySamples, itoa(maxSamples))
	if k := len(s.spansOf(s.trace(1), spans.NameKernelWait)); k != maxKernelWaits {
		t.Errorf("%d waits are spans", k)
	}
	if st := s.Stats(); st.StaysCut != uint64(n)-maxStays || st.SamplesCut != uint64(n)-maxSamples {
		t.Errorf("%d and %d counted", st.StaysCut, st.SamplesCut)
	}
	next := s.span(s.trace(2), spans.NameWrite)
	s.want(next, spans.KeyOnCPU, "1000000")
	s.want(next, spans.KeySamples, "")
}

// An fsync says what it waited for, too, and how sure the commits and fast
// commits meanwhile are.
func TestKernelWaitsOfFsync(t *testing.T) {
	s := newScript(t)
	at := t0
	finish := &event.Stack{Reason: stack.CommitToFinish, Frames: []string{"jbd2_log_wait_commit", "ext4_sync_file"}}
	s.play(
		aRequest(1, at, 1, 1),
		aWrite(5, at+ms, at+2*ms, 0, 1),
		&event.CommitStart{Time: at + 3*ms, Device: 8 << 20, Transaction: 9},
		aStay(5, at+4*ms, 0, at+14*ms, inodeStack), // has nothing to do with it
		aStay(5, at+20*ms, at+49*ms, at+50*ms, finish),
		&event.Commit{Start: at + 3*ms, Locking: at + 3*ms, End: at + 48*ms, Device: 8 << 20, Transaction: 9},
		&event.Fsync{Start: at + 3*ms, End: at + 51*ms, Thread: aThread(5), Device: 8 << 20, File: "orders-3/00000000000000000000.log"},
		aResponse(1, at+60*ms, 0),
	)
	tr := s.trace(1)
	f := s.span(tr, spans.NameFsync)
	s.want(f, spans.KeySleep, "39000000")
	s.want(f, spans.KeyRunQueue, "1000000")
	s.want(f, spans.KeyOnCPU, "8000000")
	s.want(f, spans.KeyReason, stack.CommitToFinish)
	for _, w := range s.spansOf(tr, spans.NameKernelWait) {
		if w.Parent != f.ID {
			t.Errorf("%v is not in the fsync", w)
		}
	}
	c := s.span(tr, spans.NameJBD2Commit)
	s.want(c, spans.KeyJoin, "exact")
	if c.Start != int64(at+20*ms) || c.End != int64(at+48*ms) {
		t.Errorf("the commit took %d..%d of it", c.Start, c.End)
	}
	if r := s.requests[0]; r.Cause != string(spans.CauseCommit) || r.WaitReason == nil || *r.WaitReason != stack.CommitToFinish {
		t.Errorf("%s, %v", r.Cause, r.WaitReason)
	}
}

// A wait for another thread's fast commit, inside ext4_dirty_inode and by its
// stack: exact. For what else it waited is not the fast commit's.
func TestFastCommitByStack(t *testing.T) {
	s := newScript(t)
	at := t0
	s.play(
		aRequest(1, at, 1, 1),
		&event.DirtyInode{Start: at + 2*ms, End: at + 40*ms, Thread: aThread(5), Device: 8 << 20, Inode: 42, FileSystem: "ext4"},
		aStay(5, at+3*ms, 0, at+10*ms, bufferStack),
		aStay(5, at+15*ms, 0, at+35*ms, fastStack),
		&event.FastCommit{Start: at + 4*ms, End: at + 34*ms, Thread: aThread(9), Device: 8 << 20, Blocks: 3},
		aWrite(5, at+ms, at+41*ms, 0, 1),
		aResponse(1, at+42*ms, 0),
	)
	tr := s.trace(1)
	all := s.spansOf(tr, spans.NameFastCommit)
	if len(all) != 1 || all[0].Start != int64(at+15*ms) || all[0].End != int64(at+34*ms) {
		t.Fatalf("%v", all)
	}
	s.want(all[0], spans.KeyJoin, "exact")
	s.want(tr.Root(), spans.KeyReason, stack.FastCommit)
}
