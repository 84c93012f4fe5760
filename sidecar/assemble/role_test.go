package assemble

import (
	"bufio"
	"cmp"
	"os"
	"strings"
	"testing"
)

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
		"kafka-1-snapshot-generator-event-handler":                                roleMetadata,
		"broker-1-to-controller-heartbeat-channel-manager":                        roleMetadata,
		"broker-1-ThrottledChannelReaper-Fetch":                                   roleQuota,
		"GC Thread#0":                                                             roleGC,
		"G1 Conc#0":                                                               roleGC,
		"C2 CompilerThread0":                                                      roleCompiler,
		"VM Thread":                                                               roleVM,

		// The kernel's 15 bytes.
		"ReplicaFetcherT": roleFetcher, "kafka-log-clean": roleCleaner, "ExpirationReape": rolePurgatory, "kafka-scheduler": roleScheduler,
		"kafka-request-h": roleHandler, "C2 CompilerThre": roleCompiler, "quorum-controll": roleController, "group-metadata-": roleGroup,
		"transaction-log": roleTransaction, "VM Periodic Tas": roleVM, "kafka-1-raft-io": roleRaft,
		"data-plane-kafk": "", // network, acceptor or handler
		"control-plane-k": "", "broker-1-to-con": roleMetadata, "broker-1-Thrott": roleQuota,
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

// TestRolesOfBrokers: testdata/threads.txt has the threads of real brokers, 2.8.2
// with ZooKeeper, 3.9.2, 4.1.1 and 4.4.0 with KRaft, as a thread dump names them,
// and what each does.
func TestRolesOfBrokers(t *testing.T) {
	f, err := os.Open("testdata/threads.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		want, name, _ := strings.Cut(lines.Text(), "\t")
		if got := cmp.Or(role(name), "-"); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		short := name[:min(len(name), commLen)]
		if got := role(short); got != "" && got != want {
			t.Errorf("%s, for the kernel %s: %s, want %s or nothing", name, short, got, want)
		}
	}
	if n < 100 {
		t.Errorf("%d threads", n)
	}
}
