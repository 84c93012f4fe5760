package assemble

import "strings"

// role is what a thread of a broker does, by its name; "" where that does not
// say. Where only the kernel's first 15 bytes of a name are known, all names
// that begin so must say the same.
//
// In a pattern # is a number; what follows a pattern may be anything. The names
// are Kafka's of 2.0 to 4.4, with the class that gives them, and HotSpot's.
func role(name string) string {
	found := ""
	for i := range roles {
		p := &roles[i]
		switch whole, begun := matches(p.pattern, name); {
		case whole:
			return p.role // of two that begin alike the longer one stands first
		case !begun || len(name) != commLen || found == p.role:
		case found != "":
			return ""
		default:
			found = p.role
		}
	}
	return found
}

const commLen = 15 // TASK_COMM_LEN without its NUL

// Roles of threads.
const (
	roleNetwork     = "network"
	roleAcceptor    = "acceptor"
	roleHandler     = "handler"
	roleFetcher     = "replica.fetcher"
	roleMover       = "log.dir.mover"
	roleCleaner     = "log.cleaner"
	rolePurgatory   = "purgatory"
	roleScheduler   = "scheduler"
	roleQuota       = "quota"
	roleGroup       = "group.coordinator"
	roleTransaction = "transaction.coordinator"
	roleShare       = "share.coordinator"
	roleController  = "controller"
	roleRaft        = "raft"
	roleMetadata    = "metadata"
	roleRemote      = "remote.log"
	roleGC          = "jvm.gc"
	roleCompiler    = "jvm.compiler"
	roleVM          = "jvm.vm"
)

var roles = []struct{ pattern, role string }{
	// kafka.network.SocketServer; without a prefix before 2.2.
	{"data-plane-kafka-network-thread-#-", roleNetwork},
	{"control-plane-kafka-network-thread-#-", roleNetwork},
	{"kafka-network-thread-#-", roleNetwork},
	{"data-plane-kafka-socket-acceptor-", roleAcceptor},
	{"control-plane-kafka-socket-acceptor-", roleAcceptor},
	{"kafka-socket-acceptor-", roleAcceptor},
	// kafka.server.KafkaRequestHandlerPool
	{"data-plane-kafka-request-handler-#", roleHandler},
	{"control-plane-kafka-request-handler-#", roleHandler},
	{"kafka-request-handler-#", roleHandler},
	// kafka.server.ReplicaFetcherManager, ReplicaAlterLogDirsManager
	{"ReplicaFetcherThread-#-#", roleFetcher},
	{"ReplicaAlterLogDirsThread-#", roleMover},
	// LogCleaner
	{"kafka-log-cleaner-thread-#", roleCleaner},
	// DelayedOperationPurgatory, SystemTimer, SystemTimerReaper
	{"ExpirationReaper-#-", rolePurgatory},
	{"executor-", rolePurgatory},
	{"raft-expiration-", rolePurgatory},
	{"group-coordinator-reaper", rolePurgatory},
	{"share-coordinator-reaper", rolePurgatory},
	{"share-group-lock-timeout-reaper", rolePurgatory},
	{"share-group-reaper", rolePurgatory},
	{"persister-state-manager-reaper", rolePurgatory},
	{"client-metrics-reaper", rolePurgatory},
	// ClientQuotaManager
	{"ThrottledChannelReaper-", roleQuota},
	{"broker-#-ThrottledChannelReaper-", roleQuota},
	{"controller-#-ThrottledChannelReaper-", roleQuota},
	// KafkaScheduler
	{"kafka-scheduler-#", roleScheduler},
	// GroupMetadataManager's scheduler; CoordinatorRuntime's MultiThreadedEventProcessor
	{"group-metadata-manager-#", roleGroup},
	{"group-coordinator-event-processor-#", roleGroup},
	{"group-coordinator-", roleGroup},
	{"transaction-log-manager-#", roleTransaction},
	{"TxnMarkerSenderThread-#", roleTransaction},
	{"AddPartitionsToTxnSenderThread-#", roleTransaction},
	{"share-coordinator-event-processor-#", roleShare},
	{"share-coordinator-", roleShare},
	// ControllerEventManager, RequestSendThread (ZooKeeper); QuorumController,
	// ControllerRegistrationManager
	{"controller-event-thread", roleController},
	{"Controller-#-to-broker-#-send-thread", roleController},
	{"quorum-controller-#-event-handler", roleController},
	{"controller-#-registration-manager-", roleController},
	// KafkaRaftManager's KafkaRaftClientDriver, RaftSendThread
	{"kafka-raft-", roleRaft},
	{"kafka-#-raft-", roleRaft},
	// MetadataLoader, SnapshotGenerator, BrokerLifecycleManager, AssignmentsManager,
	// and who asks the controller: BrokerToControllerChannelManager, later
	// NodeToControllerChannelManager
	{"kafka-#-metadata-loader-event-handler", roleMetadata},
	{"kafka-#-snapshot-generator-event-handler", roleMetadata},
	{"broker-#-lifecycle-manager-", roleMetadata},
	{"broker-#-directory-assignments-manager-", roleMetadata},
	{"broker-#-to-controller-", roleMetadata},
	{"controller-#-to-controller-", roleMetadata},
	// RemoteLogManager, RemoteStorageThreadPool
	{"kafka-rlm-", roleRemote},
	{"remote-log-reader-#", roleRemote},
	{"RLMScheduledThreadPool", roleRemote},
	// HotSpot's WorkerThreads, ConcurrentGCThreads, CompileBroker
	{"GC Thread", roleGC},
	{"G1 ", roleGC},
	{"ZWorker", roleGC},
	{"ZDriver", roleGC},
	{"ZDirector", roleGC},
	{"Shenandoah ", roleGC},
	{"C1 CompilerThread#", roleCompiler},
	{"C2 CompilerThread#", roleCompiler},
	{"VM Thread", roleVM},
	{"VM Periodic Task Thread", roleVM},
}

// matches says whether a name begins with a pattern, or whether the name ends
// within it, as one does that is cut.
func matches(pattern, name string) (whole, begun bool) {
	for i := 0; i < len(pattern); i++ {
		if name == "" {
			return false, true
		}
		if pattern[i] != '#' {
			if pattern[i] != name[0] {
				return false, false
			}
			name = name[1:]
			continue
		}
		rest := strings.TrimLeft(name, "0123456789")
		if len(rest) == len(name) {
			return false, false
		}
		name = rest
	}
	return true, false
}
