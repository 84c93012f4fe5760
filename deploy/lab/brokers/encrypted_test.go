package brokers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/spans"
)

// canary is in all of a record that nobody may see.
const canary = "canary"

// TestOnlyEncrypted: of a broker that no packet tells anything of, no request
// is made up, every append is traced, and says what its client put into the
// record headers that were asked for, and nothing else of the records.
func TestOnlyEncrypted(t *testing.T) {
	trial.NeedRoot(t)
	s := set(t, scene.Config{Topic: topic, Partitions: partitions, OnlySSL: true, RequestLog: true})
	file := filepath.Join(s.Run.Dir, "run.pcapng")
	live := watchTraces(t, s, file)
	java, err := s.Broker.Produce(1, kafka.Load{Topic: topic, Records: 500, PerSecond: 250, RecordSize: 300})
	if err != nil {
		t.Fatal(err)
	}
	send(t, s.Broker, loads[len(loads)-1])
	sent := sendTagged(t, s.Broker)
	if _, err := java.Summary(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second) // appends are taken for such, and read, within a second
	lines := live()
	if rows := replayed[assemble.RequestRow](t, s.Session, file, "requests"); len(rows) != 0 {
		t.Errorf("%d requests of an encrypted listener: %+v", len(rows), rows[0])
	}
	appendsAreTraced(t, s, file)
	again := replayed[json.RawMessage](t, s.Session, file, "traces")
	headersAreThose(t, "live", lines, sent)
	headersAreThose(t, "replayed", again, sent)
	if !slices.EqualFunc(lines, again, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
		t.Errorf("a run's %d traces are not the %d of its replay", len(lines), len(again))
	}
	noCanary(t, s, file, lines)
}

// watchTraces records, and prints traces meanwhile; the function that it
// returns ends that and returns what was printed.
func watchTraces(t *testing.T, s *stage, file string) func() []json.RawMessage {
	t.Helper()
	var lines []json.RawMessage
	ts := s.Watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&lines), []*kafka.Broker{s.Broker},
		"--record", file, "--message-id-header", clients.Header, "--print", "traces")
	time.Sleep(time.Second)
	return func() []json.RawMessage {
		t.Helper()
		trial.Stop(t, ts)
		return lines
	}
}

// place of a record.
type place struct {
	partition int32
	offset    int64
}

// sendTagged sends batches of every codec, of one record to some hundred, each
// record with a message id and a trace context, and says where each one went.
func sendTagged(t *testing.T, b *kafka.Broker) map[place]string {
	t.Helper()
	sent := map[place]string{}
	for name, codec := range map[string]kgo.CompressionCodec{"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()} {
		opts, err := b.Access(kafka.SSL, "").Franz()
		if err != nil {
			t.Fatal(err)
		}
		cl, err := kgo.NewClient(append(opts, kgo.ClientID(name), kgo.DefaultProduceTopic(topic), kgo.ProducerBatchCompression(codec),
			kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(20*time.Millisecond))...)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			var records []*kgo.Record
			for i := range 1 + n*n/10 {
				records = append(records, taggedRecord(fmt.Sprintf("%s-%d-%d", name, n, i), int32(n%partitions)))
			}
			if err := cl.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, r := range records {
				sent[place{r.Partition, r.Offset}] = string(r.Headers[1].Value)
			}
		}
		cl.Close()
	}
	return sent
}

func taggedRecord(id string, partition int32) *kgo.Record {
	return &kgo.Record{Partition: partition, Key: []byte(canary + " key"), Value: []byte(strings.Repeat(canary+" value ", 20)),
		Headers: []kgo.RecordHeader{{Key: "secret", Value: []byte(canary + " header")}, {Key: clients.Header, Value: []byte(id)},
			{Key: clients.Traceparent, Value: []byte(clients.TraceparentOf(id))}}}
}

// headersAreThose holds the ids and links of each append to what its client
// sent to those offsets.
func headersAreThose(t *testing.T, what string, lines []json.RawMessage, sent map[place]string) {
	t.Helper()
	appends, records, links, tagged := 0, 0, 0, map[place]bool{}
	for _, line := range lines {
		tr, err := tailspan.ParseTrace(line)
		if err != nil {
			t.Fatal(err)
		}
		root := tr.Root()
		if !strings.HasPrefix(root.Name, spans.NameAppend+" ") {
			continue
		}
		appends++
		a := map[string]any{}
		for _, kv := range root.Attributes {
			a[string(kv.Key)] = kv.Value.AsInterface()
		}
		partition := int32(a[spans.KeyPartitionID].(string)[0] - '0')
		base, n := a[spans.KeyBaseOffset].(int64), a[spans.KeyBatchCount].(int64)
		var ids, parents []string
		for i := range n {
			at := place{partition, base + i}
			if id := sent[at]; id != "" {
				ids, parents, tagged[at] = append(ids, id), append(parents, clients.TraceparentOf(id)), true
			}
		}
		records += len(ids)
		got, _ := a[spans.KeyMessageIDs].([]string)
		omitted, _ := a[spans.KeyContextsOmitted].(int64)
		if want := ids[:min(len(ids), 256)]; !slices.Equal(got, want) || a[spans.KeyHeadersCut] != nil {
			t.Errorf("%s: %s at %d: message ids %q, want %q, cut %v", what, root.Name, base, got, want, a[spans.KeyHeadersCut])
		}
		var linked []string
		for _, l := range root.Links {
			linked = append(linked, fmt.Sprintf("00-%s-%s-01", l.Trace, l.Span))
		}
		links += len(linked)
		if want := parents[:min(len(parents), 32)]; !slices.Equal(linked, want) || int(omitted) != len(parents)-len(want) {
			t.Errorf("%s: %s at %d: links %q and %d more, want %q of %d", what, root.Name, base, linked, omitted, want, len(parents))
		}
	}
	t.Logf("%s: %d appends, %d records with headers, %d links", what, appends, records, links)
	if len(tagged) != len(sent) || len(sent) == 0 {
		t.Errorf("%s: %d of %d records were in an append", what, len(tagged), len(sent))
	}
}

func noCanary(t *testing.T, s *stage, file string, lines []json.RawMessage) {
	t.Helper()
	places := map[string][]byte{"traces": bytes.Join(asBytes(lines), nil)}
	for _, name := range []string{file, filepath.Join(s.Dir, "tailspan.log")} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(name)] = b
	}
	for name, b := range places {
		if len(b) == 0 || bytes.Contains(b, []byte(canary)) {
			t.Errorf("%s, of %d bytes, tells of a record's value, key or other header", name, len(b))
		}
	}
}

func asBytes(lines []json.RawMessage) (all [][]byte) {
	for _, l := range lines {
		all = append(all, l)
	}
	return all
}
