package assemble

import (
	"net/netip"
	"testing"
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const (
	us = event.Time(time.Microsecond)
	t0 = 1000 * ms // where scripts begin
)

// script collects what an Assembler puts out.
type script struct {
	*Assembler
	t        testing.TB
	requests []*RequestRow
	joined   []*JoinedRow
	waits    []*WaitRow
	commits  []*CommitRow
	stacks   []*StackRow
	traces   map[spans.TraceID]*spans.Trace
	explains map[spans.TraceID]bool
}

func newScript(t testing.TB) *script {
	s := &script{t: t, traces: map[spans.TraceID]*spans.Trace{}, explains: map[spans.TraceID]bool{}}
	s.Assembler = New(Options{Clock: &event.Clock{}, Output: s,
		Identity: func(int32) Identity { return Identity{Cluster: "cluster", Node: 1} },
		Rows:     Rows{Requests: true, Writes: true, Joined: true, Waits: true, Commits: true, Stacks: true, Traces: true}})
	return s
}

func (s *script) Request(r *RequestRow) { s.requests = append(s.requests, r.Clone()) }
func (s *script) Write(*WriteRow)       {}
func (s *script) Joined(r *JoinedRow)   { s.joined = append(s.joined, r) }
func (s *script) Wait(r *WaitRow)       { s.waits = append(s.waits, r) }
func (s *script) Commit(r *CommitRow)   { s.commits = append(s.commits, r) }
func (s *script) Stack(r *StackRow)     { s.stacks = append(s.stacks, r) }
func (s *script) Trace(c Candidate) {
	sum := c.Summary()
	if s.traces[sum.ID] != nil {
		s.t.Errorf("trace %s twice", sum.ID)
	}
	s.traces[sum.ID] = c.BuildTrace()
	s.explains[sum.ID] = sum.Explains
	sums(s.t, &sum, s.traces[sum.ID])
}

// sums checks that a summary says of a trace what its root says.
func sums(t testing.TB, sum *spans.Summary, tr *spans.Trace) {
	t.Helper()
	root := tr.Root()
	if sum.ID != tr.ID || sum.Name != root.Name || sum.Kind != root.Kind || sum.Start != root.Start || sum.Failed != (root.Error != "") {
		t.Errorf("summary %+v of %+v", *sum, *root)
	}
	if sum.Resource != tr.Resource {
		t.Errorf("summary of another resource")
	}
	for _, kv := range root.Attributes {
		switch {
		case kv.Key == spans.KeyCause && kv.Value.AsString() != string(sum.Cause),
			kv.Key == spans.KeyRootCause && kv.Value.AsString() != string(sum.RootCause),
			sum.Request && kv.Key == spans.KeyDestination && kv.Value.AsString() != sum.Topic,
			sum.Request && kv.Key == spans.KeyBlocked && !sum.Explains:
			t.Errorf("summary %+v, root's %s is %v", *sum, kv.Key, kv.Value.String())
		}
	}
}

// play hands events over in the order of time, and ends.
func (s *script) play(events ...event.Event) {
	q := event.NewQueue(1 << 20)
	for _, e := range events {
		q.Push(event.Packets, e)
	}
	q.Advance(1<<62, s.Handle)
	s.Close()
	for _, tr := range s.traces {
		sound(s.t, tr)
	}
	if st := s.Stats(); st.Pending != 0 {
		s.t.Errorf("%d requests pending after Close", st.Pending)
	}
}

// sound checks what must hold in every trace.
func sound(t testing.TB, tr *spans.Trace) {
	t.Helper()
	byID := map[spans.SpanID]*spans.Span{}
	for i := range tr.Spans {
		s := &tr.Spans[i]
		if byID[s.ID] != nil {
			t.Errorf("%s: span id of %s twice", tr.ID, s.Name)
		}
		byID[s.ID] = s
		if i == 0 {
			if s.Parent.IsZero() == tr.Adopted {
				t.Errorf("%s: the root's parent is %s", tr.ID, s.Parent)
			}
			continue
		}
		p := byID[s.Parent]
		if p == nil {
			t.Errorf("%s: %s has no parent", tr.ID, s.Name)
		} else if s.Start < p.Start || s.End > p.End || s.End <= s.Start {
			t.Errorf("%s: %s %d..%d is not inside %s %d..%d", tr.ID, s.Name, s.Start, s.End, p.Name, p.Start, p.End)
		}
	}
}

func (s *script) span(tr *spans.Trace, name string) *spans.Span {
	s.t.Helper()
	if tr == nil {
		s.t.Fatalf("no trace to find %s in", name)
	}
	for i := range tr.Spans {
		if tr.Spans[i].Name == name {
			return &tr.Spans[i]
		}
	}
	s.t.Fatalf("no span %s in %v", name, tr.Spans)
	return nil
}

// trace is the one of the request with this correlation id.
func (s *script) trace(correlation int32) *spans.Trace {
	s.t.Helper()
	for _, r := range s.requests {
		if r.CorrelationID == correlation {
			for id, tr := range s.traces {
				if id.String() == r.TraceID {
					return tr
				}
			}
		}
	}
	s.t.Fatalf("no trace of request %d", correlation)
	return nil
}

var (
	aClient = netip.MustParseAddrPort("127.0.0.1:40000")
	aBroker = netip.MustParseAddrPort("127.0.0.1:9092")
	tp      = event.TopicPartition{Topic: "orders", Partition: 3}
)

func aRequest(correlation int32, at event.Time, acks int16, crc uint32) *event.Request {
	return &event.Request{Arrival: at, LastByte: at + 10*us, ArrivalUnix: int64(at), LastByteUnix: int64(at + 10*us),
		Conn: 1, Client: aClient, Broker: aBroker, PID: 7, APIVersion: 12, CorrelationID: correlation, ClientID: "c", Acks: acks,
		Partitions: []event.RequestPartition{{TopicPartition: tp, Bytes: 200, Records: 2, CRC: crc}}}
}

func aResponse(correlation int32, at event.Time, base int64) *event.Response {
	return &event.Response{Start: at, End: at + us, StartUnix: int64(at), EndUnix: int64(at + us), Conn: 1, CorrelationID: correlation,
		Partitions: []event.ResponsePartition{{TopicPartition: tp, BaseOffset: base}}}
}

func aRefusal(correlation int32, at event.Time, code int16) *event.Response {
	r := aResponse(correlation, at, -1)
	r.Partitions[0].Error = code
	return r
}

func aThread(tid int32) event.Thread { return event.Thread{PID: 7, TID: tid, Name: "handler"} }

func aWrite(tid int32, from, to event.Time, base int64, crc uint32) *event.Write {
	return &event.Write{Start: from, End: to, Thread: aThread(tid), TopicPartition: tp, File: "orders-3/00000000000000000000.log",
		Device: 8 << 20, Inode: 42, Offset: base * 100, Bytes: 200,
		Batch: true, BaseOffset: base, BatchBytes: 200, CRC: crc, Records: 2}
}

func aWait(tid int32, from, to event.Time) []event.Event {
	return []event.Event{
		&event.MonitorEnter{Time: from, Thread: aThread(tid), Monitor: 0xabc, Class: "java/lang/Object", Source: event.SourceUSDT},
		&event.MonitorEntered{Time: to, Thread: aThread(tid), Monitor: 0xabc},
	}
}

func aRelease(tid int32, at event.Time) event.Event {
	return &event.MonitorExit{Time: at, Thread: aThread(tid), Monitor: 0xabc}
}

func (s *script) wantJoin(correlation int32, base int64, how string) {
	s.t.Helper()
	for _, j := range s.joined {
		if j.CorrelationID == correlation {
			if j.Offset != base*100 || j.Join != how {
				s.t.Errorf("request %d: joined with the write at %d, %s; want %d, %s", correlation, j.Offset, j.Join, base*100, how)
			}
			return
		}
	}
	s.t.Errorf("request %d has no write, want the one at %d", correlation, base*100)
}

func (s *script) wantNoJoin(correlation int32) {
	s.t.Helper()
	for _, j := range s.joined {
		if j.CorrelationID == correlation {
			s.t.Errorf("request %d: joined with the write at %d, want none", correlation, j.Offset)
		}
	}
}

// A finished request is let go of: nothing that is still due leads to it.
func TestFinishedIsForgotten(t *testing.T) {
	s := newScript(t)
	for i := range event.Time(100) {
		at := t0 + i*ms
		s.Handle(aRequest(int32(i), at, 1, uint32(i)))
		s.Handle(aWrite(5, at+50*us, at+80*us, int64(2*i), uint32(i)))
		s.Handle(aResponse(int32(i), at+120*us, int64(2*i)))
	}
	s.Tick(t0 + 20_000*ms)
	if st := s.Stats(); st.Finished != 100 || s.timers.order.Len() != 0 {
		t.Errorf("%d finished, %d timers still hold something", st.Finished, s.timers.order.Len())
	}
}
