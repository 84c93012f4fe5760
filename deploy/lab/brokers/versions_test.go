package brokers

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

const (
	topic      = "orders"
	partitions = 3
)

// load is what one client sends: requests, each of one record a partition.
type load struct {
	name     string
	protocol kafka.Protocol
	requests int
	opts     []kgo.Opt
}

var loads = []load{
	{"leader", kafka.Plaintext, 200, []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}},
	{"idempotent", kafka.Plaintext, 100, []kgo.Opt{kgo.RequiredAcks(kgo.AllISRAcks())}},
	{"unanswered", kafka.Plaintext, 50, []kgo.Opt{kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()}},
	{"encrypted", kafka.SSL, 40, []kgo.Opt{kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()}},
}

// TestVersions: on each broker, what Tailspan says of its requests is what its
// own request log says, and what it cannot read is traced from the append on.
// The default version is what all other tests run on.
func TestVersions(t *testing.T) {
	trial.NeedRoot(t)
	for _, v := range kafka.Versions() {
		if v == kafka.Default {
			continue
		}
		t.Run(string(v), func(t *testing.T) {
			s := set(t, scene.Config{Version: v, Topic: topic, Partitions: partitions,
				Protocols: []kafka.Protocol{kafka.SSL}, RequestLog: true, JVM: []string{"-Xmx256m", "-Xms256m", kafka.MonitorProbes}})
			file := filepath.Join(s.Run.Dir, "run.pcapng")
			ts := record(t, s.Session, file, s.Broker)
			for _, l := range loads {
				send(t, s.Broker, l)
			}
			time.Sleep(time.Second) // the log and the probes catch up
			trial.Stop(t, ts)
			requestsAreLogged(t, s, file)
			joinsAreExact(t, s, file)
			appendsAreTraced(t, s, file)
		})
	}
}

func send(t *testing.T, b *kafka.Broker, l load) {
	t.Helper()
	opts, err := b.Access(l.protocol, "").Franz()
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(append(append(opts, l.opts...), kgo.ClientID(l.name), kgo.DefaultProduceTopic(topic),
		kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0))...)
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for n := range l.requests {
		var records []*kgo.Record
		for p := range partitions {
			records = append(records, &kgo.Record{Partition: int32(p), Value: fmt.Appendf(nil, "%s %d", l.name, n)})
		}
		if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
			t.Fatalf("%s: %v", l.name, err)
		}
	}
}

// wireKey is what a request is known by on both sides.
type wireKey struct {
	client      string
	correlation int32
}

func requestsAreLogged(t *testing.T, s *stage, file string) {
	t.Helper()
	rows := replayed[assemble.RequestRow](t, s.Session, file, "requests")
	byKey := map[wireKey]assemble.RequestRow{}
	for _, r := range rows {
		byKey[wireKey{r.Client, r.CorrelationID}] = r
	}
	logged := requestLog(t, s.Broker, kafka.Plaintext)
	if len(logged) != len(rows) || len(rows) != len(byKey) || len(rows) == 0 {
		t.Errorf("%d requests, %d of them different, the broker logged %d", len(rows), len(byKey), len(logged))
	}
	var apart []time.Duration
	for _, l := range logged {
		r, ok := byKey[wireKey{l.Client.String(), l.CorrelationID}]
		if !ok || r.APIVersion != l.APIVersion || r.Acks != l.Produce.Acks || r.ClientID != l.ClientID || r.Broker != l.Broker.String() {
			t.Errorf("got %+v, the broker logged %+v", r, l)
			continue
		}
		if !samePartitions(r.Partitions, l.Produce.Partitions) {
			t.Errorf("got %+v, the broker logged %+v", r.Partitions, l.Produce.Partitions)
		}
		if r.Acks != 0 { // else its last write ends it
			apart = append(apart, time.Duration(*r.End-r.Readable)-(l.Total-l.Send))
		}
	}
	if len(apart) > 0 {
		t.Logf("%d requests as logged, of version %d; beyond the log's times, from readable: least %s, median %s, 99%% %s",
			len(rows), logged[0].APIVersion, quantile(apart, 0), quantile(apart, .5), quantile(apart, .99))
		if least := quantile(apart, 0); least < -cut {
			t.Errorf("a request took %s less than the broker says", -least)
		}
	}
}

func samePartitions(got []assemble.RequestPartition, want []kafka.ProducedPartition) bool {
	return slices.EqualFunc(got, want, func(g assemble.RequestPartition, w kafka.ProducedPartition) bool {
		if g.Topic != topic || g.Partition != w.Partition || g.Bytes != w.Bytes || w.Answered != (g.BaseOffset != nil) {
			return false
		}
		return !w.Answered || *g.BaseOffset == w.BaseOffset && *g.Error == w.Error
	})
}

func joinsAreExact(t *testing.T, s *stage, file string) {
	t.Helper()
	rows := replayed[assemble.JoinedRow](t, s.Session, file, "joined")
	want, exact := 0, 0
	for _, l := range requestLog(t, s.Broker, kafka.Plaintext) {
		want += len(l.Produce.Partitions)
	}
	for _, r := range rows {
		if r.Join == "exact" {
			exact++
		}
	}
	t.Logf("%d of %d partitions joined, %d exact", len(rows), want, exact)
	if len(rows) != want || exact != want {
		t.Errorf("%d joined, %d exact, the broker logged %d", len(rows), exact, want)
	}
}

// trace is as much of a line of --print traces as is looked at.
type trace struct {
	ID    string `json:"trace_id"`
	Spans []struct {
		Name       string                     `json:"name"`
		Attributes map[string]json.RawMessage `json:"attributes"`
	} `json:"spans"`
}

// appendsAreTraced: each partition of a request that came encrypted is a trace
// whose root is its append, at the offset that the broker logged.
func appendsAreTraced(t *testing.T, s *stage, file string) {
	t.Helper()
	got := map[string]int{}
	for _, tr := range replayed[trace](t, s.Session, file, "traces") {
		if len(tr.Spans) > 0 && strings.HasPrefix(tr.Spans[0].Name, spans.NameAppend+" ") {
			got[fmt.Sprintf("%s at %s", tr.Spans[0].Name, tr.Spans[0].Attributes[spans.KeyBaseOffset])]++
		}
	}
	want := map[string]int{}
	for _, l := range requestLog(t, s.Broker, kafka.SSL) {
		for _, p := range l.Produce.Partitions {
			want[fmt.Sprintf("append %s-%d at %d", topic, p.Partition, p.BaseOffset)]++
		}
	}
	t.Logf("%d appends of encrypted requests, %d logged", len(got), len(want))
	for k := range want {
		if got[k] != 1 {
			t.Errorf("%s: %d traces", k, got[k])
		}
	}
	for k := range got {
		if want[k] == 0 {
			t.Errorf("%s was not logged", k)
		}
	}
}
