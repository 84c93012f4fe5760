package spans

// The only home of attribute keys, span names and causes. Where OpenTelemetry
// has a name (semantic conventions v1.43.0: messaging, network, client,
// thread, process), it is used; the rest stands under tailspan.*.
const (
	// On the root.
	KeySystem          = "messaging.system" // "kafka"
	KeyDestination     = "messaging.destination.name"
	KeyPartitionID     = "messaging.destination.partition.id"
	KeyBatchCount      = "messaging.batch.message_count"
	KeyBodySize        = "messaging.message.body.size"
	KeyClientID        = "messaging.client.id"
	KeyClientAddress   = "client.address"
	KeyClientPort      = "client.port"
	KeyServerAddress   = "server.address"
	KeyServerPort      = "server.port"
	KeyAPIVersion      = "tailspan.kafka.api_version"
	KeyCorrelationID   = "tailspan.kafka.correlation_id"
	KeyAcks            = "tailspan.kafka.acks"
	KeyTransactionalID = "tailspan.kafka.transactional_id"
	KeyPartitions      = "tailspan.kafka.partitions"   // strings: topic-partition
	KeyBaseOffsets     = "tailspan.kafka.base_offsets" // in the order of partitions
	KeyErrors          = "tailspan.kafka.errors"       // strings: topic-partition: NAME
	KeyMessageIDs      = "tailspan.message_ids"
	KeyCause           = "tailspan.cause"
	KeyRootCause       = "tailspan.root_cause"
	KeyUnexplained     = "tailspan.unexplained_ns"
	KeyDuplicate       = "tailspan.duplicate" // the broker had this batch already
	KeyThrottle        = "tailspan.kafka.throttle_ms"
	KeyLostRecords     = "tailspan.lost_records"     // never appended, and nobody was told
	KeyContextsOmitted = "tailspan.contexts_omitted" // producers' contexts beyond the links
	KeyHeadersCut      = "tailspan.headers_cut"      // not all record headers were read

	// On the resource.
	KeyClusterID = "tailspan.kafka.cluster_id"
	KeyBrokerID  = "tailspan.kafka.broker_id"
	KeyIP        = "ip" // Jaeger's clock-skew adjuster looks for it

	// On any span.
	KeyJoin       = "tailspan.join" // exact | inferred
	KeyThreadID   = "thread.id"
	KeyThreadName = "thread.name"
	KeyThreadRole = "tailspan.thread.role" // network | handler | replica.fetcher | log.cleaner | purgatory | …
	KeyPID        = "process.pid"
	KeyClipped    = "tailspan.clipped_ns" // cut off to lie inside the parent

	// On append.
	KeyBaseOffset = "tailspan.kafka.base_offset"
	KeyProducerID = "tailspan.kafka.producer_id"

	// On replication.wait.
	KeyFollower    = "tailspan.kafka.follower" // broker id of the slowest one
	KeyReplication = "tailspan.replication"    // follower | ISR change or unknown

	// On fs.write, ext4_dirty_inode and jbd2.commit.
	KeyFile        = "file.path" // topic-partition/segment.log
	KeyOffset      = "tailspan.file.offset"
	KeyBytes       = "tailspan.file.bytes"
	KeyInode       = "tailspan.file.inode"
	KeyDevice      = "tailspan.device" // major:minor
	KeyTransaction = "tailspan.jbd2.transaction"
	KeyPhase       = "tailspan.jbd2.phase"
	KeyHeld        = "tailspan.jbd2.held" // how many ext4_dirty_inode overlapped

	// On fs.write and fs.fsync: on + sleep + runqueue is the span. The last two
	// are on kernel.wait, too.
	KeyOnCPU    = "tailspan.cpu.on_ns"
	KeySleep    = "tailspan.cpu.sleep_ns"    // waiting for something
	KeyRunQueue = "tailspan.cpu.runqueue_ns" // able to run, without a CPU
	KeySamples  = "tailspan.cpu.samples"     // how often it was found running

	// On kernel.wait. On fs.write and fs.fsync the reason is that of most of the
	// waits in it, on a root that of what its root cause is; the stack of
	// fs.write and fs.fsync is that of most of the samples.
	KeyReason = "tailspan.wait.reason" // one of package stack's, or unknown
	KeyStack  = "code.stacktrace"      // kernel functions, innermost first, a line each

	// On journal.commit. The kernel's own times of a commit (run_stats) are of
	// its tick, 1 to 10 ms.
	KeyOrigin       = "tailspan.jbd2.origin" // interval | fsync | sync | space
	KeyJournalFree  = "tailspan.jbd2.free_blocks"
	KeyJournalSize  = "tailspan.jbd2.blocks"
	KeyHandles      = "tailspan.jbd2.handles"
	KeyDirtied      = "tailspan.jbd2.transaction_blocks"
	KeyLogged       = "tailspan.jbd2.logged_blocks"
	KeyRunWait      = "tailspan.jbd2.run_stats.wait_ns"
	KeyRequestDelay = "tailspan.jbd2.run_stats.request_delay_ns"
	KeyRunning      = "tailspan.jbd2.run_stats.running_ns"
	KeyLocked       = "tailspan.jbd2.run_stats.locked_ns"
	KeyFlushing     = "tailspan.jbd2.run_stats.flushing_ns"
	KeyLogging      = "tailspan.jbd2.run_stats.logging_ns"

	// On fs.fsync and broker.fsync.
	KeyDataSync = "tailspan.fsync.data" // fdatasync

	// On ext4.fast_commit and xfs.log_force.
	KeyFastCommitted = "tailspan.ext4.fast_commit_blocks"
	KeyLogSync       = "tailspan.xfs.log_sync" // it waited for the disk

	// On block.io.
	KeyDisk   = "tailspan.disk" // major:minor
	KeySector = "tailspan.disk.sector"
	KeyIOSize = "tailspan.disk.bytes"
	KeyOp     = "tailspan.disk.operation" // read | write | flush | discard | other

	// On monitor.wait and lock.hold.
	KeyMonitorClass   = "tailspan.monitor.class"
	KeyMonitorAddress = "tailspan.monitor.address"
	KeyMonitorLock    = "tailspan.monitor.lock"           // the partition that its holder wrote
	KeyHolderThreads  = "tailspan.monitor.holders"        // strings, in order
	KeyHolderTIDs     = "tailspan.monitor.holder_ids"     // in the same order
	KeyHolderShares   = "tailspan.monitor.shares_ns"      // in the same order
	KeyHolder         = "tailspan.monitor.holder"         // the longest share's thread
	KeyMonitorSource  = "tailspan.monitor.source"         // usdt | function | jfr: how it was seen
	KeyMonitorRest    = "tailspan.monitor.unexplained_ns" // shares + this = the wait

	// On the root of a trace whose write, fsync or hold others waited for.
	KeyBlockedRequests = "tailspan.blocked_requests" // how many requests
	KeyBlocked         = "tailspan.blocked_ns"       // and the sum of what they waited

	// On a root that stands for a trace of which only its summary was left when
	// another's link asked for it.
	KeyStub = "tailspan.stub" // true

	// On a root, of a time at which the monitors were not watched.
	KeyUnwatched = "tailspan.monitor.unwatched" // true: there were too many waits

	// On park.wait.
	KeyWaker   = "tailspan.park.waker"    // the thread that ended it
	KeyWakerID = "tailspan.park.waker_id" // its number

	// On park.wait, and on request.queue where a park says when it ended.
	KeyParkSource = "tailspan.park.source" // usdt | kernel: how it was seen

	// On jvm.gc and jvm.vmop.
	KeyVMOperation = "tailspan.jvm.operation" // as HotSpot names it: G1CollectForAllocation
	KeyFullGC      = "tailspan.jvm.gc.full"

	// On links.
	KeyLinkKind = "tailspan.link" // one of the kinds below
)

// Kinds of links.
const (
	LinkHolder      = "holder"       // to what held the lock
	LinkHolderWrite = "holder.write" // to what the lock's holder wrote meanwhile
	LinkHolderWait  = "holder.wait"  // to what the lock's holder itself waited for
	LinkHolderFsync = "holder.fsync" // to what the lock's holder synced meanwhile
	LinkCommit      = "commit"       // to the whole commit
	LinkLogForce    = "log.force"    // to the whole log force
	LinkOrigin      = "origin"       // to the fsync that had a commit begun
	LinkDuplicate   = "duplicate"    // to who wrote this batch first
	LinkPipelined   = "pipelined"    // to the request before it on its connection
	LinkProducer    = "producer"     // to the context in a record's traceparent
)

// Span names.
const (
	NameProduce         = "produce"
	NameReceive         = "receive"
	NameSocket          = "socket.wait" // the broker still worked on the request before
	NameThrottle        = "throttle"    // the connection was muted for a quota
	NameQueue           = "request.queue"
	NameAppend          = "append"
	NameHandle          = "handle" // the broker's work of which nothing was seen
	NameReplication     = "replication.wait"
	NameSend            = "response.send"
	NameWrite           = "fs.write"
	NameExt4DirtyInode  = "ext4_dirty_inode"
	NameOtherDirtyInode = "dirty_inode" // of another file system
	NameJBD2Commit      = "jbd2.commit"
	PrefixJBD2          = "jbd2." // and a commit's phase, in its own trace
	NameMonitorWait     = "monitor.wait"
	NamePark            = "park.wait"        // for a lock of java.util.concurrent
	NameGC              = "jvm.gc"           // the Java threads stood still for it
	NameVMOperation     = "jvm.vmop"         // likewise
	NameKernelWait      = "kernel.wait"      // asleep inside a write or an fsync
	NameFsync           = "fs.fsync"         // of a thread of the broker
	NameHandleWait      = "jbd2.handle_wait" // to join a transaction
	NameLogGrant        = "xfs.log_grant"    // XFS's counterpart of it
	NameLogForce        = "xfs.log_force"    // XFS's counterpart of a commit; root of its own trace, too
	NameFastCommit      = "ext4.fast_commit" // root of its own trace, too
	NameBlockIO         = "block.io"
	NameJournalCommit   = "journal.commit" // root of a commit's own trace
	NameBrokerWrite     = "broker.write"   // root of a write that is no request's
	NameLockHold        = "lock.hold"      // root of a hold that is no request's
	NameBrokerFsync     = "broker.fsync"   // root of an fsync that is no request's
)

// Cause is what took most of a request's time: one of a closed list.
type Cause string

const (
	CauseNone        Cause = ""                 // nothing is known of it
	CauseReceive     Cause = "receive"          // the request's bytes came slowly
	CauseSocket      Cause = "socket.wait"      // behind the request before it on its connection
	CauseThrottle    Cause = "throttle"         // behind that one's throttle time
	CauseQueue       Cause = "request.queue"    // before a handler touched it
	CauseWrite       Cause = "fs.write"         // the write, beyond what is below
	CauseDirtyInode  Cause = "ext4_dirty_inode" // beyond a commit
	CauseCommit      Cause = "jbd2.commit"      // the journal commit
	CauseFsync       Cause = "fs.fsync"         // an fsync, beyond a commit
	CauseFastCommit  Cause = "ext4.fast_commit" // the journal's fast commit
	CauseLog         Cause = "xfs.log"          // XFS's log: room in it, or its force
	CauseMonitor     Cause = "monitor.wait"     // a Java monitor
	CausePark        Cause = "park.wait"        // a lock of java.util.concurrent
	CauseGC          Cause = "jvm.gc"           // a garbage collection stopped all threads
	CauseVMOperation Cause = "jvm.vmop"         // another operation of the VM did
	CauseReplication Cause = "replication.wait" // the followers
	CauseSend        Cause = "response.send"    // after the append
	CauseUnexplained Cause = "unexplained"      // nothing seen took most of it
)

// Causes are all of them but CauseNone.
var Causes = []Cause{
	CauseReceive, CauseSocket, CauseThrottle, CauseQueue, CauseWrite, CauseDirtyInode, CauseCommit, CauseFsync,
	CauseFastCommit, CauseLog, CauseMonitor, CausePark, CauseGC, CauseVMOperation, CauseReplication, CauseSend, CauseUnexplained,
}
