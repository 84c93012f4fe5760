package metrics

import (
	"time"

	"github.com/tailspan/tailspan/sidecar/event"
	"github.com/tailspan/tailspan/spans"
)

const ms = time.Millisecond

// oneTopic is a request of one topic that took its time.
func oneTopic(topic string, latency time.Duration) *Request {
	return &Request{Broker: 1, Latency: latency, Cause: spans.CauseWrite, RootCause: spans.CauseCommit,
		Topics: []TopicPart{{Topic: topic, Partitions: 1, Bytes: 1000, Records: 10}}}
}

// full measures one of everything.
func full(m *Metrics) {
	r := oneTopic("orders", 80*ms)
	r.Queue, r.Replication = ms, 2*ms
	m.Request(r)
	m.Request(&Request{Broker: 1, Latency: ms, Failed: true,
		Topics: []TopicPart{{Topic: "orders", Partitions: 2, Errors: 1, Error: "NOT_LEADER_OR_FOLLOWER"}, {Topic: "payments"}}})
	m.Write(&Write{Broker: 1, Duration: 79 * ms})
	m.DirtyInode(1, 78*ms)
	m.Fsync(1, 7*ms)
	m.Wait(&Wait{Broker: 1, Duration: 60 * ms})
	m.Wait(&Wait{Broker: 1, Duration: 50 * ms, Park: true})
	m.Commit(&Commit{Device: event.Device(8<<20 | 1), Duration: 100 * ms, Locking: ms, Flushing: 9 * ms, Logging: 90 * ms})
	m.Pause(&Pause{Broker: 1, Duration: 12 * ms, GC: true})
	m.Pause(&Pause{Broker: 1, Duration: ms})
	m.Account(func() Account {
		return Account{Seen: 10, Exported: 1, SampledOut: 6, Pending: 1,
			Dropped: map[StageReason]uint64{{"export", "queue full"}: 2},
			Traces:  map[string]uint64{"exported": 2}, Kept: map[string]uint64{"slow": 1, "linked": 1},
			Export: Export{Spans: 11, Queued: 3, DiskBytes: 5000, Failures: 1},
			Lost:   map[string]uint64{"packet gaps": 4},
			Probes: []Probe{{"fs.write", "fentry", true}, {"monitors", "usdt", false}}, Brokers: 1, Unwatched: 1}
	})
}

// objective is a Options.SLO.
func objective(string) time.Duration { return 65 * ms }
