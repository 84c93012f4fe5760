package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tailspan/tailspan/spans"
)

// name describes a metric; its unit is the name's last word, if it is one.
func name(n, help string, labels ...string) *prometheus.Desc {
	var options []prometheus.DescOpt
	base := strings.TrimSuffix(n, "_total")
	for _, unit := range []string{"seconds", "bytes"} {
		if strings.HasSuffix(base, "_"+unit) {
			options = append(options, prometheus.WithUnit(unit))
		}
	}
	return prometheus.V2.NewDesc("tailspan_"+n, help, prometheus.UnconstrainedLabels(labels), nil, options...)
}

// Of requests.
var (
	produceDuration = name("produce_duration_seconds",
		"Produce requests: first byte in to first byte of the response out.", "broker", "topic")
	produceMax = name("produce_duration_max_seconds",
		"Slowest produce request of the last one to two minutes.", "broker")
	slowRequests = name("slow_requests_total",
		"Produce requests that took as long as their topic's objective or longer, by what took most of it and by what that leads back to.", "broker", "topic", "cause", "root_cause")
	slowSeconds = name("slow_seconds_total",
		"Time that these requests took.", "broker", "topic", "cause", "root_cause")
	produceBytes = name("produce_bytes_total",
		"Record batches in produce requests, refused ones included.", "broker", "topic")
	produceRecords = name("produce_records_total",
		"Records in produce requests, refused ones included.", "broker", "topic")
	produceErrors = name("produce_errors_total",
		"Partitions of produce requests that were refused, by Kafka's error; (lost): never appended, or never answered.", "broker", "topic", "error")
	ownTopics = name("topics",
		"Topics with a label of their own.")
	otherRequests = name("other_topics_requests_total",
		"Produce requests with a topic that is counted as (other).")
)

// Of what goes on beside and inside of them.
var (
	queueDuration = name("request_queue_duration_seconds",
		"Waits of produce requests for a handler.", "broker")
	replicationDuration = name("replication_wait_duration_seconds",
		"Waits of produce requests for the followers, after the last append.", "broker")
	writeDuration = name("write_duration_seconds",
		"Writes to segments.", "broker")
	writeMax = name("write_duration_max_seconds",
		"Slowest write to a segment of the last one to two minutes.", "broker")
	dirtyInodeDuration = name("ext4_dirty_inode_duration_seconds",
		"Calls of ext4_dirty_inode inside writes to segments.", "broker")
	fsyncDuration = name("fsync_duration_seconds",
		"Calls of fsync and fdatasync.", "broker")
	monitorDuration = name("monitor_wait_duration_seconds",
		"Waits for Java monitors.", "broker")
	parkDuration = name("park_wait_duration_seconds",
		"Waits for locks of java.util.concurrent.", "broker")
	pauseDuration = name("jvm_pause_duration_seconds",
		"Stops of all threads of a JVM, for a garbage collection (gc) or another operation of the VM (vmop).", "broker", "kind")
	commitDuration = name("journal_commit_duration_seconds",
		"Commits of ext4's journal.", "device")
	commitMax = name("journal_commit_duration_max_seconds",
		"Slowest commit of the last one to two minutes.", "device")
	phaseDuration = name("journal_commit_phase_duration_seconds",
		"Phases of commits of ext4's journal.", "device", "phase")
)

// kind is one histogram of a broker or of a device.
type kind uint8

// kindOf says how a kind is exposed, and which span shows one of it.
type kindOf struct {
	desc  *prometheus.Desc
	label string // beside the broker's or the device's; "": none
	span  string
}

// Those of a broker.
const (
	queue kind = iota
	replication
	write
	dirtyInode
	fsync
	monitorWait
	parkWait
	gcPause
	vmPause
	brokerKinds
)

var ofBroker = [brokerKinds]kindOf{
	queue:       {queueDuration, "", spans.NameQueue},
	replication: {replicationDuration, "", spans.NameReplication},
	write:       {writeDuration, "", spans.NameWrite},
	dirtyInode:  {dirtyInodeDuration, "", spans.NameExt4DirtyInode},
	fsync:       {fsyncDuration, "", spans.NameFsync},
	monitorWait: {monitorDuration, "", spans.NameMonitorWait},
	parkWait:    {parkDuration, "", spans.NamePark},
	gcPause:     {pauseDuration, "gc", spans.NameGC},
	vmPause:     {pauseDuration, "vmop", spans.NameVMOperation},
}

// Those of a device.
const (
	commit kind = iota
	locking
	flushing
	logging
	deviceKinds
)

var ofDevice = [deviceKinds]kindOf{
	commit:   {commitDuration, "", spans.NameJournalCommit},
	locking:  {phaseDuration, "locking", spans.PrefixJBD2 + "locking"},
	flushing: {phaseDuration, "flushing", spans.PrefixJBD2 + "flushing"},
	logging:  {phaseDuration, "logging", spans.PrefixJBD2 + "logging"},
}
