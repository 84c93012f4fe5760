package brokers

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

const (
	// held is how long a follower is held back, and lagging how long until it
	// leaves the in-sync replicas: the leader looks twice in that time.
	held    = time.Second
	lagging = 4 * time.Second

	// lax is a topic that is written to with a follower less.
	lax = "lax"
)

// TestReplicas: three brokers of this host write the same bytes, and a request
// is joined with its leader's write alone; one that waits for a follower names
// it, and says when it does not know.
func TestReplicas(t *testing.T) {
	trial.NeedRoot(t)
	s := trial.Begin(t)
	run, err := cache.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	c := replicated(t, s, run)
	file := run.Path("run.pcapng")
	ts := record(t, s, file, c.Brokers...)
	resumed := sendReplicated(t, c)
	time.Sleep(time.Second)
	trial.Stop(t, ts)
	leaderAlone(t, s, c, file)
	all := tell(t, s, file, c.Brokers...)
	t.Run("waits", func(t *testing.T) { waitsAreLogged(t, all) })
	t.Run("held", func(t *testing.T) { waitedFor(t, all[waiting], resumed) })
	t.Run("left", func(t *testing.T) { inSyncChanged(t, all[leaving]) })
}

// replicated is a cluster where broker i+1 leads partition i.
func replicated(t *testing.T, s trial.Session, run *cache.Run) *kafka.Cluster {
	t.Helper()
	c, err := kafka.StartCluster(t.Context(), trial.Kafka(t), 3, kafka.Config{Dir: run.Path("brokers"), LogDir: run.Path("logs"),
		OutputDir: s.Dir, RequestLog: true, JVM: []string{kafka.MonitorProbes},
		Properties: map[string]string{"replica.lag.time.max.ms": fmt.Sprint(lagging.Milliseconds())}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	for name, least := range map[string]string{topic: "3", lax: "2"} {
		if err := c.Brokers[0].Create(t.Context(), kafka.Topic{Name: name, Replicas: [][]int32{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}},
			Configs: map[string]string{"min.insync.replicas": least}}); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// Clients of a replicated run.
const (
	everywhere = "everywhere"
	waiting    = "waiting" // for a held follower
	leaving    = "leaving" // does not wait for one that has been held for too long
)

// sendReplicated sends to all partitions, then, by another client, to the
// first while broker 3 is held; it says when that went on. Last it is held
// until it is no longer waited for.
func sendReplicated(t *testing.T, c *kafka.Cluster) (resumed time.Time) {
	t.Helper()
	all, one, other := replicatedTo(t, c, everywhere, topic), replicatedTo(t, c, waiting, topic), replicatedTo(t, c, leaving, lax)
	for n := range int32(60) {
		all(n % 3)
	}
	one(0) // it knows the leader now
	other(0)
	follower := c.Brokers[2]
	if err := follower.Hold(); err != nil {
		t.Fatal(err)
	}
	at := make(chan time.Time, 1)
	time.AfterFunc(held, func() { at <- time.Now(); _ = follower.Resume() })
	one(0)
	resumed = <-at
	one(0) // the follower has what it missed
	if err := follower.Hold(); err != nil {
		t.Fatal(err)
	}
	other(0)
	if err := follower.Resume(); err != nil {
		t.Fatal(err)
	}
	return resumed
}

// replicatedTo sends a record with acks=all to a partition.
func replicatedTo(t *testing.T, c *kafka.Cluster, id, topic string) func(int32) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.Brokers[0].Address()), kgo.ClientID(id), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.AllISRAcks()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return func(partition int32) {
		r := &kgo.Record{Partition: partition, Value: []byte("value")}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatalf("%s: %v", id, err)
		}
	}
}

// leaderAlone: every logged request is joined, with a write of the broker that
// logged it.
func leaderAlone(t *testing.T, s trial.Session, c *kafka.Cluster, file string) {
	t.Helper()
	rows := map[string]assemble.JoinedRow{}
	for _, r := range replayed[assemble.JoinedRow](t, s, file, "joined") {
		rows[fmt.Sprintf("%s %d", r.Client, r.CorrelationID)] = r
	}
	writes := map[int32]int{}
	for _, w := range replayed[assemble.WriteRow](t, s, file, "writes") {
		if filepath.Dir(w.File) == topic+"-0" {
			writes[w.PID]++
		}
	}
	for i, b := range c.Brokers {
		logged := requestLog(t, b, kafka.Plaintext)
		for _, l := range logged {
			r, ok := rows[fmt.Sprintf("%s %d", l.Client, l.CorrelationID)]
			if !ok || int(r.PID) != b.PID() || r.Join != "exact" || *r.BaseOffset != l.Produce.Partitions[0].BaseOffset || int(r.Partition) != i {
				t.Errorf("broker %d, pid %d, logged %+v, joined as %+v", b.ID, b.PID(), l, r)
			}
		}
		if len(logged) < 20 || writes[int32(b.PID())] == 0 {
			t.Errorf("broker %d logged %d requests, wrote %d times to partition 0", b.ID, len(logged), writes[int32(b.PID())])
		}
	}
}
