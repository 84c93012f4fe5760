package assemble

import (
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const disk = event.Device(8 << 20)

func anFsync(tid int32, from, to event.Time) *event.Fsync {
	return &event.Fsync{Start: from, End: to, Thread: aThread(tid), Device: disk, Inode: 42, File: "orders-3/00000000000000000000.log"}
}

// aCommit is a commit with its start, that a thread's fsync had begun.
func aCommit(transaction uint32, from, to event.Time, by int32) []event.Event {
	c := &event.Commit{Start: from, Flushing: from + us, Logging: from + 2*us, End: to, Device: disk, Transaction: transaction, TID: 900}
	if by != 0 {
		c.Origin, c.By = event.OriginFsync, aThread(by)
	}
	return []event.Event{&event.CommitStart{Time: from, Device: disk, Transaction: transaction}, c}
}

// parent is the span above one.
func (s *script) parent(tr *spans.Trace, of *spans.Span) *spans.Span {
	s.t.Helper()
	for i := range tr.Spans {
		if tr.Spans[i].ID == of.Parent {
			return &tr.Spans[i]
		}
	}
	s.t.Fatalf("%s has no parent", of.Name)
	return nil
}

// leads says that a link leads to a span that was put out.
func (s *script) leads(l spans.Link, kind, name string) {
	s.t.Helper()
	tr := s.traces[l.Trace]
	if got := l.Attributes[0].Value.AsString(); got != kind {
		s.t.Errorf("a link of kind %s, want %s", got, kind)
	}
	if tr == nil {
		s.t.Fatalf("a %s link leads to no trace", kind)
	}
	for i := range tr.Spans {
		if tr.Spans[i].ID == l.Span && tr.Spans[i].Name == name {
			return
		}
	}
	s.t.Errorf("a %s link leads to no %s", kind, name)
}

// flush.messages: the handler syncs what it wrote before it answers. The commit
// that it had begun is what it waited for, and links back to it.
func TestFsyncOfRequest(t *testing.T) {
	s := newScript(t)
	dir := anFsync(5, t0+300*ms+100*us, t0+300*ms+500*us) // once a log, its directory, too
	dir.File = "logs/orders-3"
	s.play(append(aCommit(99, t0+5*ms, t0+290*ms, 5),
		aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), anFsync(5, t0+3*ms, t0+300*ms), dir,
		&event.Wake{Time: t0 + 301*ms, Thread: aThread(5)}, aResponse(1, t0+302*ms, 10))...)
	tr := s.trace(1)
	f := s.span(tr, "fs.fsync")
	if p := s.parent(tr, f); p.Name != "append orders-3" || p.End != int64(t0+300*ms+500*us) {
		t.Errorf("the fsync is below %s, which ends at %d", p.Name, p.End)
	}
	c := s.span(tr, "jbd2.commit")
	if s.parent(tr, c) != f || value(c, spans.KeyJoin) != "exact" {
		t.Errorf("the commit is below %s, %s", s.parent(tr, c).Name, value(c, spans.KeyJoin))
	}
	if r := s.requests[0]; r.Cause != "jbd2.commit" {
		t.Errorf("cause %s", r.Cause)
	}
	root := s.traces[c.Links[0].Trace].Root()
	if len(root.Links) != 1 || root.Links[0].Trace != tr.ID || root.Links[0].Span != f.ID {
		t.Errorf("links of the commit: %v", root.Links)
	}
	if value(root, spans.KeyOrigin) != "fsync" || value(root, spans.KeyThreadID) != "5" {
		t.Errorf("the commit says %v", root.Attributes)
	}
	if row := s.commits[0]; *row.Origin != "fsync" || row.By.TID != 5 || row.By.PID != 7 {
		t.Errorf("row %+v", row)
	}
}

// The fsync that had a commit begun is known, however much its thread does
// until the commit is told of, and whichever of them is seen to end first.
func TestOriginOfBusyThread(t *testing.T) {
	for _, commitEnd := range []event.Time{t0 + 290*ms, t0 + 301*ms} {
		s := newScript(t)
		events := append(aCommit(99, t0+5*ms, commitEnd, 5), aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
			anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))
		for i := range event.Time(2 * doingsKept) {
			at := t0 + 310*ms + i*ms
			events = append(events, aWrite(5, at, at+us, 100+2*int64(i), uint32(100+i)))
		}
		s.play(events...)
		commit := s.traces[s.span(s.trace(1), "jbd2.commit").Links[0].Trace]
		if len(commit.Root().Links) != 1 {
			t.Fatalf("commit's end at %d: links %v", commitEnd, commit.Root().Links)
		}
		s.leads(commit.Root().Links[0], spans.LinkOrigin, "fs.fsync")
	}
}

// A commit that somebody else had begun may be the one that an fsync waits for,
// or not.
func TestFsyncBesideCommit(t *testing.T) {
	s := newScript(t)
	s.play(append(aCommit(99, t0-5*ms, t0+90*ms, 0),
		aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+ms+500*us, 10, 11), anFsync(5, t0+3*ms, t0+300*ms), aResponse(1, t0+302*ms, 10))...)
	tr := s.trace(1)
	if c := s.span(tr, "jbd2.commit"); value(c, spans.KeyJoin) != "inferred" || c.End != int64(t0+90*ms) {
		t.Errorf("%+v", c)
	}
	if r := s.requests[0]; r.Cause != "fs.fsync" {
		t.Errorf("cause %s", r.Cause)
	}
	if c := s.commits[0]; c.Origin != nil || c.By != nil || c.Free != nil || c.Handles != nil {
		t.Errorf("the row claims what is not known: %+v", c)
	}
}

// A segment is rolled before the write: the fsync is no part of the queue.
func TestFsyncBeforeWrite(t *testing.T) {
	s := newScript(t)
	roll := anFsync(5, t0+ms, t0+100*ms)
	roll.File = "orders-3/00000000000000000010.snapshot"
	s.play(aRequest(1, t0, 1, 11), roll, aWrite(5, t0+101*ms, t0+102*ms, 10, 11), aResponse(1, t0+103*ms, 10))
	tr := s.trace(1)
	if p := s.parent(tr, s.span(tr, "fs.fsync")); p.Name != "append orders-3" || p.Start != int64(t0+ms) {
		t.Errorf("below %s from %d", p.Name, p.Start)
	}
}

// What the thread synced after it had handed over the response, or before the
// request came, is not the request's.
func TestFsyncOfNobody(t *testing.T) {
	s := newScript(t)
	s.play(anFsync(5, t0-20*ms, t0-10*ms), aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11),
		&event.Wake{Time: t0 + 3*ms, Thread: aThread(5)}, aResponse(1, t0+4*ms, 10), anFsync(5, t0+5*ms, t0+50*ms))
	for _, x := range s.trace(1).Spans {
		if x.Name == "fs.fsync" {
			t.Errorf("the request has the fsync at %d", x.Start)
		}
	}
	if len(s.traces) != 1 {
		t.Errorf("%d traces: nobody waited for these fsyncs", len(s.traces))
	}
}

// Between two requests without a wake-up: neither's.
func TestAmbiguousFsync(t *testing.T) {
	s := newScript(t)
	b := aRequest(2, t0+ms, 1, 12)
	b.Conn = 2
	rb := aResponse(2, t0+60*ms, 12)
	rb.Conn = 2
	s.play(aRequest(1, t0, 1, 11), b, aWrite(5, t0+ms, t0+2*ms, 10, 11), anFsync(5, t0+3*ms, t0+20*ms),
		aWrite(5, t0+30*ms, t0+31*ms, 12, 12), aResponse(1, t0+50*ms, 10), rb)
	for _, n := range []int32{1, 2} {
		for _, x := range s.trace(n).Spans {
			if x.Name == "fs.fsync" {
				t.Errorf("request %d has the fsync", n)
			}
		}
	}
	if n := s.Stats().Ambiguous; n != 1 {
		t.Errorf("%d ambiguous", n)
	}
}

// A scheduler's fsync under the log's lock: whoever waits for that lock waits for
// the fsync, and that for the commit.
func TestFsyncOfHolder(t *testing.T) {
	s := newScript(t)
	events := append(aCommit(99, t0+2*ms, t0+99*ms, 6), aWait(7, t0+ms, t0+101*ms)...)
	s.play(append(events, aRequest(1, t0, 1, 13), anFsync(6, t0+ms, t0+100*ms), aRelease(6, t0+101*ms),
		aWrite(7, t0+102*ms, t0+103*ms, 12, 13), aResponse(1, t0+104*ms, 12))...)
	m := s.span(s.trace(1), "monitor.wait")
	if len(m.Links) != 1 {
		t.Fatalf("links %v", m.Links)
	}
	s.leads(m.Links[0], spans.LinkHolderFsync, "fs.fsync")
	own := s.traces[m.Links[0].Trace]
	if own.Root().Name != "broker.fsync" {
		t.Errorf("the fsync is in %s", own.Root().Name)
	}
	if r := s.requests[0]; r.Cause != "monitor.wait" || r.RootCause != "jbd2.commit" {
		t.Errorf("cause %s, root cause %s", r.Cause, r.RootCause)
	}
	commit := s.traces[s.span(own, "jbd2.commit").Links[0].Trace]
	s.leads(commit.Root().Links[0], spans.LinkOrigin, "fs.fsync")
}

// Finished requests let go of the gaps, and with these of each other.
func TestFsyncsKeepNoChain(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(50) {
		at := t0 + i*10*ms
		s.Handle(aRequest(int32(i), at, 1, uint32(i)))
		s.Handle(aWrite(5, at+50*us, at+80*us, int64(2*i), uint32(i)))
		s.Handle(anFsync(5, at+90*us, at+2*ms))
		s.Handle(&event.Wake{Time: at + 3*ms, Thread: aThread(5)})
		s.Handle(aResponse(int32(i), at+4*ms, int64(2*i)))
	}
	s.Tick(t0 + 20_000*ms)
	if st := s.Stats(); st.Finished != 50 || st.Fsyncs != 50 {
		t.Fatalf("counts %+v", st)
	}
	for _, d := range s.brokers[7].threads[5].doings {
		if d.fsync != nil && (d.fsync.gap != nil || d.fsync.owner.IsZero()) {
			t.Error("an fsync keeps its gap")
		}
	}
}

// An fsync that ended when the request was finished is not in its trace: whoever
// waited for it is led to one of its own.
func TestFsyncThatOutlastsItsRequest(t *testing.T) {
	s := newScript(t)
	end := t0 + 2000*ms
	s.play(append(aWait(6, t0+20*ms, end+us), aRequest(1, t0, 1, 11), aWrite(5, t0+ms, t0+2*ms, 10, 11), aResponse(1, t0+10*ms, 10),
		anFsync(5, t0+9*ms, end), aRelease(5, end),
		aRequest(2, t0+15*ms, 1, 12), aWrite(6, end+ms, end+2*ms, 11, 12), aResponse(2, end+3*ms, 11))...)
	w := s.span(s.trace(2), "monitor.wait")
	if len(w.Links) != 1 {
		t.Fatalf("%d links", len(w.Links))
	}
	s.leads(w.Links[0], "holder.fsync", "fs.fsync")
}
