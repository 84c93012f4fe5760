package assemble

import "testing"

func TestRole(t *testing.T) {
	for name, want := range map[string]string{
		"data-plane-kafka-request-handler-24":                                     roleHandler,
		"kafka-request-handler-0":                                                 roleHandler,
		"control-plane-kafka-request-handler-0":                                   roleHandler,
		"data-plane-kafka-network-thread-1-ListenerName(PLAINTEXT)-PLAINTEXT-2":   roleNetwork,
		"control-plane-kafka-network-thread-1-ListenerName(CONTROLLER)-SSL-0":     roleNetwork,
		"data-plane-kafka-socket-acceptor-ListenerName(PLAINTEXT)-PLAINTEXT-9092": roleAcceptor,
		"ReplicaFetcherThread-0-2":                                                roleFetcher,
		"ReplicaAlterLogDirsThread-1":                                             roleMover,
		"kafka-log-cleaner-thread-0":                                              roleCleaner,
		"ExpirationReaper-1-Produce":                                              rolePurgatory,
		"executor-Produce":                                                        rolePurgatory,
		"kafka-scheduler-9":                                                       roleScheduler,
		"group-metadata-manager-0":                                                roleGroup,
		"group-coordinator-event-processor-3":                                     roleGroup,
		"group-coordinator-reaper":                                                rolePurgatory,
		"transaction-log-manager-0":                                               roleTransaction,
		"TxnMarkerSenderThread-1":                                                 roleTransaction,
		"controller-event-thread":                                                 roleController,
		"quorum-controller-3000-event-handler":                                    roleController,
		"kafka-1-raft-io-thread":                                                  roleRaft,
		"raft-expiration-reaper":                                                  rolePurgatory,
		"kafka-1-metadata-loader-event-handler":                                   roleMetadata,
		"GC Thread#0":                                                             roleGC,
		"G1 Conc#0":                                                               roleGC,
		"C2 CompilerThread0":                                                      roleCompiler,
		"VM Thread":                                                               roleVM,

		// The kernel's 15 bytes.
		"ReplicaFetcherT": roleFetcher, "kafka-log-clean": roleCleaner, "ExpirationReape": rolePurgatory, "kafka-scheduler": roleScheduler,
		"kafka-request-h": roleHandler, "C2 CompilerThre": roleCompiler, "quorum-controll": roleController, "group-metadata-": roleGroup,
		"transaction-log": roleTransaction, "VM Periodic Tas": roleVM, "kafka-1-raft-io": roleRaft,
		"data-plane-kafk": "", // network, acceptor or handler
		"control-plane-k": "",
		"group-coordinat": "", // coordinator or its purgatory
		"kafka-12-metada": roleMetadata,
		"data-pl..dler-3": "", // JDK 22 and later

		"": "", "main": "", "k": "", "kafka": "", "kafka-scheduler-": "", "data-plane-kafka-request-handler-x": "", "java": "", "producer-1": "",
		"kafka-raft-x": roleRaft, "kafka-1": "", "my-data-plane-kafka-request-handler-1": "",
	} {
		if got := role(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
