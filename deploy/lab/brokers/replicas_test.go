package brokers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// held is how long a follower is held back.
const held = time.Second

// TestReplicas: three brokers of this host write the same bytes, and a request
// is joined with its leader's write alone; one that waits for a follower says
// so, from the append to after the follower went on.
func TestReplicas(t *testing.T) {
	needRoot(t)
	s := begin(t)
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
	ts := s.record(t, file, c.Brokers)
	resumed := sendReplicated(t, c)
	time.Sleep(time.Second)
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	leaderAlone(t, s, c, file)
	waited(t, s, file, resumed)
}

// replicated is a cluster where broker i+1 leads partition i.
func replicated(t *testing.T, s session, run *cache.Run) *kafka.Cluster {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	d, err := kafka.Install(t.Context(), dir, progress{t})
	if err != nil {
		t.Fatal(err)
	}
	c, err := kafka.StartCluster(t.Context(), d, 3, kafka.Config{Dir: run.Path("brokers"), LogDir: run.Path("logs"),
		OutputDir: s.dir, RequestLog: true, JVM: []string{kafka.MonitorProbes}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	if err := c.Brokers[0].Create(t.Context(), kafka.Topic{Name: topic, Replicas: [][]int32{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}},
		Configs: map[string]string{"min.insync.replicas": "3"}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// sendReplicated sends to all partitions, then, by another client, to the
// first while broker 3 is held; it says when that went on.
func sendReplicated(t *testing.T, c *kafka.Cluster) (resumed time.Time) {
	t.Helper()
	sender := func(id string) func(int32) {
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
	all, waiting := sender("all"), sender("waiting")
	for n := range int32(60) {
		all(n % 3)
	}
	waiting(0) // it knows the leader now
	follower := c.Brokers[2]
	if err := follower.Hold(); err != nil {
		t.Fatal(err)
	}
	at := make(chan time.Time, 1)
	time.AfterFunc(held, func() { at <- time.Now(); _ = follower.Resume() })
	waiting(0)
	return <-at
}

// leaderAlone: every logged request is joined, with a write of the broker that
// logged it.
func leaderAlone(t *testing.T, s session, c *kafka.Cluster, file string) {
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

// waited looks at the request that waited for the held follower: its
// replication.wait lasts until after the follower went on.
func waited(t *testing.T, s session, file string, resumed time.Time) {
	t.Helper()
	type span struct {
		Name       string                     `json:"name"`
		Start      int64                      `json:"start_ns"`
		End        int64                      `json:"end_ns"`
		Attributes map[string]json.RawMessage `json:"attributes"`
	}
	n := 0
	for _, tr := range replayed[struct{ Spans []span }](t, s, file, "traces") {
		root := tr.Spans[0]
		if string(root.Attributes[spans.KeyClientID]) != `"waiting"` || time.Duration(root.End-root.Start) < held/2 {
			continue
		}
		n++
		for _, w := range tr.Spans {
			if w.Name != spans.NameReplication {
				continue
			}
			n++
			how, who := string(w.Attributes[spans.KeyReplication]), string(w.Attributes[spans.KeyFollower])
			t.Logf("replication.wait of %s, until %s after the follower went on: %s %s", time.Duration(w.End-w.Start),
				time.Duration(w.End-resumed.UnixNano()), how, who)
			if w.Start >= resumed.UnixNano() || w.End <= resumed.UnixNano() || who != "" && who != "3" {
				t.Errorf("%+v, the follower went on at %d", w, resumed.UnixNano())
			}
		}
	}
	if n != 2 {
		t.Errorf("%d requests and waits of a held follower, want 1 of each", n)
	}
}
