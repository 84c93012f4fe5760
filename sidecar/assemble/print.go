package assemble

import (
	"net/netip"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/sidecar/kafka"
	"github.com/tailspan/tailspan/spans"
)

// unix converts an instant of a request by its own packets' stamps.
func (r *request) unix(t event.Time) int64 { return int64(t-r.ev.Arrival) + r.ev.ArrivalUnix }

// endUnix is nil where no end was seen.
func (r *request) endUnix() *int64 {
	switch {
	case r.resp != nil:
		return &r.resp.StartUnix
	case r.end != 0:
		u := r.unix(r.end)
		return &u
	}
	return nil
}

func (a *Assembler) printRequest(r *request) {
	if a.o.Rows.Requests {
		a.o.Output.Request(a.requestRow(r))
	}
	if a.o.Rows.Joined {
		for i := range r.parts {
			if r.parts[i].write != nil {
				a.o.Output.Joined(r.joinedRow(i))
			}
		}
	}
}

// scratch are rows that are good until Output returns: there is one of each
// request, and of each write.
type scratch struct {
	request      RequestRow
	end, latency int64
	write        WriteRow
	addrs        map[netip.AddrPort]string
}

// maxAddrs bounds the addresses whose texts are kept.
const maxAddrs = 1 << 12

func (s *scratch) addr(a netip.AddrPort) string {
	text, ok := s.addrs[a]
	if !ok {
		if len(s.addrs) >= maxAddrs {
			clear(s.addrs)
		}
		text = a.String()
		s.addrs[a] = text
	}
	return text
}

func (a *Assembler) requestRow(r *request) *RequestRow {
	e, s := r.ev, &a.scratch
	row := &s.request
	*row = RequestRow{
		Arrival: e.ArrivalUnix, LastByte: e.LastByteUnix, Readable: r.unix(r.readable()),
		Client: s.addr(e.Client), Broker: s.addr(e.Broker), ClientID: e.ClientID,
		APIVersion: e.APIVersion, CorrelationID: e.CorrelationID, Acks: e.Acks,
		TransactionalID: e.TransactionalID, TraceID: r.traceID().String(),
		Cause: string(r.verdict.cause), RootCause: string(r.verdict.root),
		LostRecords: r.lostRecords, HeadersCut: e.HeadersCut, Partitions: row.Partitions[:0],
	}
	if r.blocked != nil {
		row.BlockedRequests, row.Blocked = len(r.blocked.requests), int64(r.blocked.ns)
	}
	if r.verdict.reason != "" {
		row.WaitReason = &r.verdict.reason
	}
	if end := r.endUnix(); end != nil {
		s.end, s.latency = *end, *end-row.Arrival
		row.End, row.Latency = &s.end, &s.latency
	}
	if e.PID != 0 {
		row.PID = &e.PID
	}
	for i := range r.parts {
		row.Partitions = append(row.Partitions, r.partitionRow(i))
	}
	return row
}

func (r *request) partitionRow(i int) RequestPartition {
	p, q := &r.parts[i], &r.ev.Partitions[i]
	row := RequestPartition{Topic: topicName(q), Partition: q.Partition, Bytes: q.Bytes,
		Records: q.Records, CRC: q.CRC, Codec: kafka.Codec(q.Attributes), MessageIDs: q.MessageIDs}
	if p.answered {
		row.Error = &p.err
		row.BaseOffset = p.baseOffset()
	}
	return row
}

// baseOffset is the response's, nil without one.
func (p *part) baseOffset() *int64 {
	if !p.answered || p.base < 0 {
		return nil
	}
	return &p.base
}

func (r *request) joinedRow(i int) *JoinedRow {
	p, q, w := &r.parts[i], &r.ev.Partitions[i], r.parts[i].write.ev
	unix := r.a.o.Clock.Unix
	return &JoinedRow{
		Arrival: r.ev.ArrivalUnix, End: r.endUnix(), Client: r.ev.Client.String(),
		CorrelationID: r.ev.CorrelationID, Topic: topicName(q), Partition: q.Partition,
		BaseOffset: p.baseOffset(), CRC: q.CRC, MessageIDs: q.MessageIDs,
		WriteStart: unix(w.Start), WriteEnd: unix(w.End), PID: w.PID, TID: w.TID, Thread: w.Name,
		File: w.File, Offset: w.Offset, Bytes: w.Bytes, Join: p.join.String(), TraceID: r.traceID().String(),
		Batch: q, Write: w,
	}
}

func (a *Assembler) printWrite(w *event.Write) {
	a.scratch.write = WriteRow{
		Start: a.o.Clock.Unix(w.Start), End: a.o.Clock.Unix(w.End), Latency: int64(w.End - w.Start),
		PID: w.PID, TID: w.TID, Thread: w.Name, Bytes: w.Bytes, Offset: w.Offset, File: w.File,
	}
	a.o.Output.Write(&a.scratch.write)
}

func (a *Assembler) printWait(w *wait) {
	row := &WaitRow{
		Start: a.o.Clock.Unix(w.start), End: a.o.Clock.Unix(w.end), Latency: int64(w.end - w.start),
		PID: w.b.pid, TID: w.thread.TID, Thread: w.thread.Name, Class: w.class,
		Monitor: address(w.monitor), Holders: make([]HolderRow, len(w.shares)), TraceID: idOrNil(w.owner.trace),
		Unexplained: int64(w.unexplained()), Source: string(w.source),
	}
	for i := range w.shares {
		s := &w.shares[i]
		row.Holders[i] = HolderRow{TID: s.exit.thread.TID, Thread: s.exit.thread.Name,
			NS: int64(s.ns()), TraceID: idOrNil(s.to.trace), Wrote: idOrNil(s.written())}
	}
	if i := w.main(); i >= 0 {
		how := w.sure().String()
		row.Join = &how
		h := &row.Holders[i]
		row.HolderTID, row.HolderThread, row.HolderTraceID = &h.TID, &h.Thread, h.TraceID
	}
	a.o.Output.Wait(row)
}

func (a *Assembler) printCommit(c *commit) {
	e, p := c.ev, c.phases()
	unix := a.o.Clock.Unix
	row := &CommitRow{
		Start: unix(e.Start), End: unix(e.End), Latency: int64(e.End - e.Start),
		Device: device(c.device), Transaction: c.transaction,
		Locking: int64(p[1].end - p[1].start), Flushing: int64(p[2].end - p[2].start),
		Logging: int64(p[3].end - p[3].start), Held: make([]HeldRow, len(c.held)), TraceID: c.id.String(),
	}
	for i := range c.held {
		h := &c.held[i]
		row.Held[i] = HeldRow{TID: h.tid, Start: unix(h.start), End: unix(h.end), What: h.what}
		if h.what == heldDirtyInode {
			row.Held[i].Inode = &h.inode
		}
	}
	if e.Origin != "" {
		origin := string(e.Origin)
		row.Origin = &origin
	}
	if e.By.TID != 0 {
		row.By = &ByRow{e.By.PID, e.By.TID, e.By.Name}
	}
	if e.Size != 0 {
		row.Free, row.Blocks = &e.Free, &e.Size
	}
	if s := &e.Stats; *s != (event.CommitStats{}) {
		row.Handles, row.Logged = &s.Handles, &s.Logged
	}
	a.o.Output.Commit(row)
}

func idOrNil(id spans.TraceID) *string {
	if id.IsZero() {
		return nil
	}
	s := id.String()
	return &s
}
