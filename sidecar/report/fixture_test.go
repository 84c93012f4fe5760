package report

import (
	"go.opentelemetry.io/otel/attribute"

	"github.com/tailspan/tailspan/spans"
)

// The story of the blog post as traces: a commit, a write that it held up, and
// a handler that waited for the lock which the writer held. Times are µs after
// noon.
const noon = 1_791_028_800_000_000_000

type maker struct{ t *spans.Trace }

func (m maker) add(parent int, name string, from, to int64, attrs ...attribute.KeyValue) int {
	s := spans.Span{
		ID: m.t.ID.Child(name, uint64(from)), Name: name,
		Start: noon + from*1000, End: noon + to*1000, Attributes: attrs,
	}
	if parent >= 0 {
		s.Parent = m.t.Spans[parent].ID
	} else if name[0] == 'p' {
		s.Kind = spans.Server
	}
	m.t.Spans = append(m.t.Spans, s)
	return len(m.t.Spans) - 1
}

func (m maker) link(i int, to *spans.Trace, span int, kind string) {
	s := &m.t.Spans[i]
	s.Links = append(s.Links, spans.Link{Trace: to.ID, Span: to.Spans[span].ID,
		Attributes: []attribute.KeyValue{attribute.String(spans.KeyLinkKind, kind)}})
}

func start(n uint64) maker {
	return maker{&spans.Trace{ID: spans.EventID("cluster", 1, "fixture", n, 0)}}
}

func commitTrace() *spans.Trace {
	m := start(1)
	m.add(-1, spans.NameJournalCommit, -61_200, 551_100,
		attribute.String(spans.KeyDevice, "7:0"), attribute.Int64(spans.KeyTransaction, 4711), attribute.Int64(spans.KeyHeld, 1))
	m.add(0, "jbd2.locking", -61_100, -60_900)
	m.add(0, "jbd2.flushing", -60_900, -60_500)
	m.add(0, "jbd2.logging", -60_500, 551_100)
	return m.t
}

func produce(m maker, topic string, to, partition, offset int64, client string, acks int64) {
	m.add(-1, "produce "+topic, 0, to,
		attribute.String(spans.KeyClientID, client),
		attribute.String(spans.KeyClientAddress, "127.0.0.1"), attribute.Int64(spans.KeyClientPort, 51514),
		attribute.StringSlice(spans.KeyPartitions, []string{topic + "-" + itoa(partition)}),
		attribute.Int64Slice(spans.KeyBaseOffsets, []int64{offset}),
		attribute.Int64(spans.KeyBatchCount, 7), attribute.Int64(spans.KeyBodySize, 2213), attribute.Int64(spans.KeyAcks, acks))
}

func handler(n, tid int64) []attribute.KeyValue {
	return []attribute.KeyValue{
		attribute.String(spans.KeyThreadName, "data-plane-kafka-request-handler-"+itoa(n)), attribute.Int64(spans.KeyThreadID, tid)}
}

func file(name string, at, bytes int64) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(spans.KeyFile, name), attribute.Int64(spans.KeyOffset, at),
		attribute.Int64(spans.KeyBytes, bytes), attribute.String(spans.KeyJoin, "exact")}
}

// stallTrace is the request whose own write the commit held up.
func stallTrace(commit *spans.Trace) *spans.Trace {
	m := start(2)
	produce(m, "orders", 553_400, 3, 184_467, "producer-3", 1)
	m.t.Spans[0].Start -= 2_000_000 // its first byte came 2 ms before noon
	verdict(m.t, spans.CauseCommit, spans.CauseCommit)
	m.add(0, spans.NameReceive, -2_000, -1_950)
	m.add(0, spans.NameQueue, -1_950, -1_500, attribute.String(spans.KeyJoin, "inferred"))
	a := m.add(0, "append orders-3", -1_500, 553_200)
	w := m.add(a, spans.NameWrite, -1_300, 553_150, append(file("orders-3/00000000000000000000.log", 1_262_411, 2213), handler(2, 28711)...)...)
	d := m.add(w, spans.NameExt4DirtyInode, -1_200, 551_700, attribute.Int64(spans.KeyInode, 13))
	c := m.add(d, spans.NameJBD2Commit, -1_200, 551_100,
		attribute.String(spans.KeyDevice, "7:0"), attribute.Int64(spans.KeyTransaction, 4711), attribute.String(spans.KeyPhase, "logging"))
	m.link(c, commit, 0, "commit")
	m.add(0, spans.NameSend, 553_200, 553_400)
	return m.t
}

// cascadeTrace is the request that waited for the lock of the stalled writer.
func cascadeTrace(stall *spans.Trace) *spans.Trace {
	m := start(3)
	produce(m, "orders", 556_100, 3, 184_474, "producer-1", 1)
	verdict(m.t, spans.CauseMonitor, spans.CauseCommit)
	m.add(0, spans.NameReceive, 0, 40)
	m.add(0, spans.NameQueue, 40, 310, attribute.String(spans.KeyJoin, "inferred"))
	a := m.add(0, "append orders-3", 310, 555_950)
	wait := m.add(a, spans.NameMonitorWait, 320, 553_900, append([]attribute.KeyValue{
		attribute.String(spans.KeyMonitorClass, "java/lang/Object"), attribute.String(spans.KeyMonitorLock, "orders-3"),
		attribute.StringSlice(spans.KeyHolderThreads, []string{"data-plane-kafka-request-handler-2", "data-plane-kafka-request-handler-5"}),
		attribute.Int64Slice(spans.KeyHolderTIDs, []int64{28711, 28714}),
		attribute.Int64Slice(spans.KeyHolderShares, []int64{552_900_000, 680_000}),
	}, handler(6, 28715)...)...)
	m.link(wait, stall, 4, "holder.write")
	m.add(a, spans.NameWrite, 553_990, 555_900, append(file("orders-3/00000000000000000000.log", 1_264_624, 2104), handler(6, 28715)...)...)
	m.add(0, spans.NameSend, 555_950, 556_100)
	return m.t
}

// syncedCommit is a commit that an fsync had begun, with what the disk did.
func syncedCommit() *spans.Trace {
	m := start(8)
	m.add(-1, spans.NameJournalCommit, 1_000, 251_100, append(handler(2, 28711),
		attribute.String(spans.KeyDevice, "8:1"), attribute.Int64(spans.KeyTransaction, 4712), attribute.Int64(spans.KeyHeld, 0),
		attribute.String(spans.KeyOrigin, "fsync"), attribute.Int64(spans.KeyPID, 4242),
		attribute.Int64(spans.KeyJournalFree, 4000), attribute.Int64(spans.KeyJournalSize, 4096),
		attribute.Int64(spans.KeyHandles, 77), attribute.Int64(spans.KeyLogged, 12))...)
	m.add(0, "jbd2.logging", 1_010, 251_100)
	m.add(1, spans.NameBlockIO, 1_020, 250_000, request("exact")...)
	return m.t
}

func request(how string) []attribute.KeyValue {
	return []attribute.KeyValue{attribute.String(spans.KeyThreadName, "jbd2/sda1-8"), attribute.Int64(spans.KeyThreadID, 301),
		attribute.String(spans.KeyDisk, "8:0"), attribute.Int64(spans.KeySector, 9_437_184), attribute.Int64(spans.KeyIOSize, 49_152),
		attribute.String(spans.KeyOp, "write"), attribute.String(spans.KeyJoin, how)}
}

// syncTrace is a request that was answered when its write was on the disk; the
// write had waited for room for its transaction.
func syncTrace(commit *spans.Trace) *spans.Trace {
	m := start(9)
	produce(m, "orders", 253_400, 3, 184_490, "producer-3", 1)
	verdict(m.t, spans.CauseCommit, spans.CauseCommit)
	a := m.add(0, "append orders-3", 100, 253_200)
	w := m.add(a, spans.NameWrite, 110, 900, append(file("orders-3/00000000000000000000.log", 1_262_411, 2213), handler(2, 28711)...)...)
	d := m.add(w, spans.NameExt4DirtyInode, 200, 800, attribute.Int64(spans.KeyInode, 13))
	m.add(d, spans.NameHandleWait, 210, 790, attribute.String(spans.KeyDevice, "8:1"), attribute.Int64(spans.KeyTransaction, 4712))
	f := m.add(a, spans.NameFsync, 910, 253_000, append(handler(2, 28711), attribute.String(spans.KeyFile, "orders-3/00000000000000000000.log"))...)
	c := m.add(f, spans.NameJBD2Commit, 1_000, 251_100, attribute.String(spans.KeyDevice, "8:1"),
		attribute.Int64(spans.KeyTransaction, 4712), attribute.String(spans.KeyPhase, "logging"))
	m.link(c, commit, 0, spans.LinkCommit)
	m.add(c, spans.NameBlockIO, 1_020, 250_000, request("inferred")...)
	return m.t
}

// xfsTrace is what XFS and fast commits have instead.
func xfsTrace() *spans.Trace {
	m := start(10)
	m.add(-1, spans.NameBrokerFsync, 0, 90_000, handler(2, 28711)...)
	f := m.add(0, spans.NameFsync, 0, 90_000, attribute.String(spans.KeyFile, "orders-3/00000000000000000000.log"))
	m.add(f, spans.NameLogForce, 100, 60_000, attribute.String(spans.KeyDevice, "8:17"))
	m.add(f, spans.NameLogGrant, 61_000, 62_000, attribute.String(spans.KeyDevice, "8:17"))
	m.add(f, spans.NameFastCommit, 63_000, 80_000, attribute.String(spans.KeyDevice, "8:1"), attribute.Int64(spans.KeyTransaction, 7))
	return m.t
}

func verdict(t *spans.Trace, cause, root spans.Cause) {
	t.Spans[0].Attributes = append(t.Spans[0].Attributes,
		attribute.String(spans.KeyCause, string(cause)), attribute.String(spans.KeyRootCause, string(root)))
}

// pipelinedTrace is the request that came behind the stalled one on its
// connection, and then waited for a follower; its records came with contexts.
func pipelinedTrace(stall *spans.Trace) *spans.Trace {
	m := start(4)
	produce(m, "orders", 601_000, 3, 184_481, "producer-3", -1)
	verdict(m.t, spans.CauseSocket, spans.CauseCommit)
	root := &m.t.Spans[0].Attributes
	*root = append(*root, attribute.Int64(spans.KeyContextsOmitted, 5), attribute.Bool(spans.KeyHeadersCut, true),
		attribute.Int64(spans.KeyThrottle, 25))
	for n := range uint64(32) {
		m.link(0, start(100+n).root("GET /order"), 0, spans.LinkProducer)
	}
	w := m.add(0, spans.NameSocket, 0, 553_400, attribute.String(spans.KeyJoin, "inferred"))
	m.link(w, stall, 0, spans.LinkPipelined)
	m.add(0, spans.NameThrottle, 553_400, 560_000)
	m.add(0, spans.NameQueue, 560_000, 560_200, attribute.String(spans.KeyJoin, "inferred"))
	m.add(0, "append orders-3", 560_200, 560_300)
	m.add(0, spans.NameReplication, 560_300, 600_000, attribute.String(spans.KeyReplication, "follower"),
		attribute.Int64(spans.KeyFollower, 2), attribute.String(spans.KeyJoin, "inferred"))
	m.add(0, spans.NameSend, 600_000, 601_000)
	return m.t
}

func (m maker) root(name string) *spans.Trace { m.add(-1, name, 0, 1); return m.t }

// isrTrace is a request whose follower no Fetch names, of two partitions of
// which one was refused.
func isrTrace() *spans.Trace {
	m := start(5)
	produce(m, "orders", 4_000_000, 0, 12, "producer-1", -1)
	root := &m.t.Spans[0]
	root.Error = "NOT_LEADER_OR_FOLLOWER"
	root.Attributes = append(root.Attributes, attribute.StringSlice(spans.KeyErrors, []string{"orders-1: NOT_LEADER_OR_FOLLOWER"}))
	m.add(0, "append orders-0", 100, 200)
	m.add(0, spans.NameReplication, 200, 4_000_000, attribute.String(spans.KeyReplication, "ISR change or unknown"))
	return m.t
}

// lostTrace is a request without acks that never reached the log.
func lostTrace() *spans.Trace {
	m := start(6)
	m.add(-1, "produce orders", 0, 900,
		attribute.StringSlice(spans.KeyPartitions, []string{"orders-0"}), attribute.Int64Slice(spans.KeyBaseOffsets, []int64{-1}),
		attribute.Int64(spans.KeyBatchCount, 7), attribute.Int64(spans.KeyBodySize, 2213), attribute.Int64(spans.KeyAcks, 0),
		attribute.Int64(spans.KeyLostRecords, 7))
	m.t.Spans[0].Error = "never appended: the broker closed the connection"
	return m.t
}

// bareTrace is an append that came through an encrypted listener.
func bareTrace() *spans.Trace {
	m := start(7)
	m.add(-1, "append orders-0", 0, 300, attribute.String(spans.KeyDestination, "orders"), attribute.String(spans.KeyPartitionID, "0"),
		attribute.Int64(spans.KeyBaseOffset, 40), attribute.Int64(spans.KeyBatchCount, 3), attribute.Int64(spans.KeyBodySize, 475),
		attribute.StringSlice(spans.KeyMessageIDs, []string{"a", "b", "c"}))
	m.link(0, start(100).root("GET /order"), 0, spans.LinkProducer)
	m.add(0, spans.NameWrite, 0, 300, append(file("orders-0/00000000000000000000.log", 1_262_411, 475), handler(2, 28711)...)...)
	return m.t
}
