package clients

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
)

// logged are the batches of a log, by topic-partition.
type logged map[string][]kafka.Batch

func dump(t *testing.T, s *scene.Scene) logged {
	t.Helper()
	segments, err := s.Kafka.DumpLogDir(t.Context(), s.LogDir)
	if err != nil {
		t.Fatal(err)
	}
	all := logged{}
	for file, batches := range segments {
		all[filepath.Dir(file)] = append(all[filepath.Dir(file)], batches...)
	}
	return all
}

// at is the batch that holds an offset, if there is one.
func (l logged) at(partition string, offset int64) *kafka.Batch {
	var found *kafka.Batch
	for i, b := range l[partition] {
		if b.BaseOffset <= offset {
			found = &l[partition][i]
		}
	}
	return found
}

// count of the batches with a CRC and a size.
func (l logged) count(partition string, crc uint32, size int) (n int) {
	for _, b := range l[partition] {
		if b.CRC == crc && b.Size == int64(size) {
			n++
		}
	}
	return n
}

// broker is what all tests share, each with topics of its own; started is why
// there is none.
var (
	broker  *scene.Scene
	started error
)

func TestMain(m *testing.M) {
	flag.Parse()
	if !testing.Short() {
		broker, started = scene.New(context.Background(), scene.Config{}, os.Stderr)
	}
	code := m.Run()
	if broker != nil {
		if err := broker.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// stage is the broker, and options for it.
func stage(t *testing.T) (*scene.Scene, Options) {
	t.Helper()
	if testing.Short() {
		t.Skip("a real broker takes seconds (-short)")
	}
	if errors.Is(started, kafka.ErrNoJava) {
		t.Skip(started)
	}
	if started != nil {
		t.Fatal(started)
	}
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	return broker, Options{Address: broker.Broker.Address(), Dir: t.TempDir(), Seed: 1, Kafka: broker.Kafka, CacheDir: dir}
}

// plainTopics leave batches as they are; the others rewrite them.
func plainTopics(name string) []Topic {
	return []Topic{{Name: name + "-a", Partitions: 3}, {Name: name + "-b", Partitions: 2}}
}

func rewriting(name string) []Topic {
	return []Topic{
		{Name: name + "-append-time", Partitions: 2, Config: map[string]string{"message.timestamp.type": "LogAppendTime"}},
		{Name: name + "-recompressed", Partitions: 2, Config: map[string]string{"compression.type": "zstd"}},
	}
}

func rewritten(topic string) bool {
	return strings.HasSuffix(topic, "-append-time") || strings.HasSuffix(topic, "-recompressed")
}

func mustRun(t *testing.T, o Options) []Sent {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	begin := time.Now()
	sent, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d records of what was sent in %s", o.ClientID, len(sent), time.Since(begin).Round(time.Millisecond))
	return sent
}
