package assemble

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

// FuzzAssembler hands over any events in any order, of few threads, monitors
// and batches so that they meet: every trace is sound, no write is two
// partitions', and every request is finished once.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte("\x00\x01\x05\x10\x01\x00\x02\x03\x05\x04\x01\x02\x01\x01\x05\x05\x01\x02"))
	f.Add([]byte("\x06\x01\x05\x10\x01\x00\x02\x03\x05\x04\x01\x02\x08\x01\x05\x05\x01\x02\x07\x01\x05\x05\x01\x02"))
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, seed))
		b := make([]byte, 6*300)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x := &checker{t: t}
		a := New(Options{Clock: &event.Clock{}, Output: x, AdoptParent: len(b) > 4 && b[4]&1 != 0,
			Identity: func(pid int32) Identity { return Identity{Encrypted: pid == 8, HeadersFromLog: pid == 8} },
			Rows:     Rows{Requests: true, Writes: true, Joined: true, Waits: true, Commits: true, Stacks: true, Traces: true}})
		at := t0
		for ; len(b) >= 6; b = b[6:] {
			at += event.Time(b[5]&15) * event.Time(b[5]) * 20 * us
			a.Handle(anEvent(b, at))
		}
		a.Close()
		x.follow()
		st := a.Stats()
		if st.Pending != 0 || uint64(x.requests) != st.Finished || a.timers.order.Len() != 0 || len(a.asked) != 0 {
			t.Errorf("%d requests printed, %d timers, %d asked left, counts %+v", x.requests, a.timers.order.Len(), len(a.asked), st)
		}
		if len(a.conns) != 0 {
			t.Errorf("%d connections left", len(a.conns))
		}
		for _, br := range a.brokers {
			if br.inFlight+br.parts != 0 || len(br.byBatch)+len(br.unnamed) != 0 {
				t.Errorf("%d in flight, %d batches, %d names left", br.inFlight, len(br.byBatch), len(br.unnamed))
			}
			waiting := false // for ever
			for _, th := range br.threads {
				waiting = waiting || th.waiting != nil
			}
			for w := range slices.Values(br.recent.buf) {
				if w.blocked.open() && !waiting {
					t.Errorf("a write is still waited for: %+v", w.blocked)
				}
			}
			for _, l := range br.logs {
				if len(l.waiting) != 0 {
					t.Errorf("%d parts wait for %v", len(l.waiting), l.TopicPartition)
				}
			}
		}
	})
}

// anEvent is one that six bytes say, complete at an instant.
func anEvent(b []byte, at event.Time) event.Event {
	from := at - event.Time(binary.LittleEndian.Uint16(b[2:]))*10*us
	th := event.Thread{PID: 7 + int32(b[1]>>7), TID: int32(b[1] & 3), Name: "handler"}
	conn, correlation := event.Conn(b[1]&3), int32(b[4]>>4)
	base, crc := int64(b[4]&15)-1, uint32(b[4]&3)
	dev := event.Device(8<<20 | uint32(b[1]>>6))
	if b[0] >= 15*15 {
		return anInnerEvent(b, from, at, th, dev)
	}
	switch b[0] % 15 {
	case 0:
		r := aRequest(correlation, from, int16(b[1]>>4&3)-1, crc)
		r.LastByte, r.Conn, r.PID = at, conn, th.PID
		for i := range b[1] >> 2 & 3 {
			q := r.Partitions[0]
			q.Partition = int32(i)
			r.Partitions = append(r.Partitions, q)
		}
		if b[0]&0x40 != 0 {
			r.Partitions[0].Topic, r.Partitions[0].TopicID = "", [16]byte{b[1] & 1}
		}
		if b[0]&0x80 != 0 {
			shared(r, producer)
		}
		return r
	case 1:
		r := aResponse(correlation, from, base)
		r.End, r.Conn, r.Partitions[0].Error = at, conn, int16(b[1]>>6)
		r.Before, r.ThrottleMS = from-event.Time(b[0])*ms, int32(b[0]>>5)
		if b[0]&0x10 != 0 {
			r.Partitions[0].TopicID = [16]byte{b[1] & 1}
		}
		return r
	case 2:
		w := aWrite(th.TID, from, at, base, crc)
		w.PID, w.Device, w.Partition = th.PID, dev, int32(b[1]>>2&3)
		if b[0]&0x20 != 0 {
			w.Name = handlerComm
		}
		return w
	case 3:
		return &event.DirtyInode{Start: from, End: at, Thread: th, Device: dev, FileSystem: "ext4"}
	case 4:
		return &event.CommitStart{Time: at, Device: dev, Transaction: crc}
	case 5:
		c := &event.Commit{Start: from, Flushing: at - us, End: at, Device: dev, Transaction: crc}
		if b[0]&0x10 != 0 {
			c.Origin, c.By = event.OriginFsync, th
		}
		return c
	case 6:
		return &event.MonitorEnter{Time: at, Thread: th, Monitor: uint64(crc), Source: event.SourceUSDT}
	case 7:
		return &event.MonitorEntered{Time: at, Thread: th, Monitor: uint64(crc)}
	case 8:
		return &event.MonitorExit{Time: at, Thread: th, Monitor: uint64(crc)}
	case 9:
		return &event.Wake{Time: at, Thread: th}
	case 10:
		return &event.ConnLost{Time: at, Conn: conn, Reason: "closed", ByBroker: b[1]&0x40 != 0}
	case 11:
		f := aFetch(int32(b[1]>>2&3), correlation, from, base)
		f.LastByte, f.PID, f.Conn = at, th.PID, conn
		return f
	case 12:
		return &event.Fetched{Time: at, Conn: conn, CorrelationID: correlation}
	case 13:
		return &event.TopicName{Time: at, PID: th.PID, ID: [16]byte{b[1] & 1}, Name: "orders"}
	}
	if b[0]&0x80 != 0 {
		w := aWrite(th.TID, from, at, base, crc)
		h := &event.AppendHeaders{Time: at, PID: th.PID, File: w.File, Offset: w.Offset, HeadersCut: b[1]&0x40 != 0}
		if b[1]&1 != 0 {
			h.Contexts, h.ContextShared = []event.TraceContext{producer}, true
		}
		return h
	}
	return &event.Gone{Time: at, PID: th.PID}
}

// anInnerEvent is one of what happens inside writes and fsyncs, of fsyncs, or of
// the JVM.
func anInnerEvent(b []byte, from, at event.Time, th event.Thread, dev event.Device) event.Event {
	if b[1]&0x10 != 0 {
		from = max(from, at-ms) // short, to lie inside another
	}
	switch b[0] % 10 {
	case 7:
		return &event.Pause{Start: from, End: at, Thread: th, GC: b[1]&0x20 != 0, Name: "operation"}
	case 8:
		return &event.MonitorsWatched{Time: at, PID: th.PID, On: b[1]&0x20 != 0}
	case 9:
		return &event.Park{Start: from, Woken: from + event.Time(b[5])*us, End: at, Thread: th, Timed: b[4]&0x40 != 0,
			Waker: event.Thread{PID: th.PID, TID: int32(b[4] & 3)}, Kernel: b[4]&0x80 != 0}
	case 5:
		return &event.OffCPU{Start: from, Woken: from + event.Time(b[5])*ms, End: at, Thread: th, Preempted: b[4]&0x40 != 0,
			Stack: []*event.Stack{nil, bufferStack, lockStack, fastStack}[b[4]&3]}
	case 6:
		return &event.Sample{Time: at, Thread: th, Stack: copyStack}
	case 0:
		return &event.Fsync{Start: from, End: at, Thread: th, Device: dev, File: "orders-0/00000000000000000000.log", Result: -int64(b[1] & 8)}
	case 1:
		return &event.JournalWait{Start: from, End: at, Thread: th, Device: dev, Transaction: uint32(b[4] & 3), Grant: b[1]&0x20 != 0}
	case 2:
		th.PID += int32(b[1] >> 5 & 1)
		return &event.FastCommit{Start: from, End: at, Thread: th, Device: dev, Transaction: uint32(b[4] & 3), Status: int32(b[1] & 4)}
	case 3:
		return &event.LogForce{Start: from, End: at, Thread: th, Device: dev}
	}
	return &event.BlockIO{Start: from, End: at, Thread: th, Device: dev, Sector: uint64(b[4] & 1), Op: "write"}
}

// checker holds what is put out against what must be.
type checker struct {
	t        testing.TB
	requests int
	writes   map[*event.Write]bool
	ends     map[end]bool
	links    []link
}

// link leads from a span to another trace's.
type link struct {
	from string
	to   end
	kind string
}

func (x *checker) Request(*RequestRow) { x.requests++ }
func (x *checker) Write(*WriteRow)     {}
func (x *checker) Joined(*JoinedRow)   {}
func (x *checker) Commit(*CommitRow)   {}
func (x *checker) Stack(r *StackRow) {
	if r.NS <= 0 || r.NS > r.Write {
		x.t.Errorf("%d of a write of %d: %s", r.NS, r.Write, r.Reason)
	}
}

func (x *checker) Wait(r *WaitRow) {
	var sum int64
	for _, h := range r.Holders {
		if h.NS < 0 {
			x.t.Errorf("a share of %d ns", h.NS)
		}
		sum += h.NS
	}
	if r.Unexplained < 0 || sum+r.Unexplained != r.Latency {
		x.t.Errorf("shares of %d ns and %d unexplained in a wait of %d", sum, r.Unexplained, r.Latency)
	}
}

func (x *checker) Trace(c Candidate) {
	sum := c.Summary()
	if sum.Latency < 0 {
		x.t.Errorf("latency %v", sum.Latency)
	}
	if r, ok := c.(*request); ok {
		x.claim(r)
	}
	tr := c.BuildTrace()
	sound(x.t, tr)
	sums(x.t, &sum, tr)
	x.cost(&tr.Spans[0])
	if x.ends == nil {
		x.ends = map[end]bool{}
	}
	for _, s := range tr.Spans {
		x.ends[end{tr.ID, s.ID}] = true
		for _, l := range s.Links {
			if l.Remote {
				continue
			}
			x.links = append(x.links, link{s.Name, end{l.Trace, l.Span}, l.Attributes[0].Value.AsString()})
		}
	}
}

// cost holds that nothing blocked somebody for less than is counted.
func (x *checker) cost(root *spans.Span) {
	n, _ := attributeOf(root, spans.KeyBlockedRequests).(int64)
	if ns, _ := attributeOf(root, spans.KeyBlocked).(int64); ns < n*int64(minHold) || (n == 0) != (ns == 0) {
		x.t.Errorf("%s blocked %d requests for %d ns", root.Name, n, ns)
	}
}

// end is where a link leads.
type end struct {
	trace spans.TraceID
	span  spans.SpanID
}

// follow holds that every link leads somewhere.
func (x *checker) follow() {
	for _, l := range x.links {
		if !x.ends[l.to] {
			x.t.Errorf("a link of %s to its %s leads nowhere", l.from, l.kind)
		}
	}
}

func (x *checker) claim(r *request) {
	if x.writes == nil {
		x.writes = map[*event.Write]bool{}
	}
	for i := range r.parts {
		w := r.parts[i].write
		if w == nil {
			continue
		}
		if x.writes[w.ev] {
			x.t.Error("a write joined twice")
		}
		x.writes[w.ev] = true
		if w.ev.Start < r.ev.Arrival-arrivalSlack {
			x.t.Error("joined with a write that began before the request came")
		}
		if w.ev.TopicPartition != r.ev.Partitions[i].TopicPartition {
			x.t.Error("joined with another partition's write")
		}
	}
}
