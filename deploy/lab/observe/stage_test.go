package observe

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/prometheus"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const (
	scrapeEvery = time.Second
	watchFor    = 50 * time.Second // a dozen stalls of the disk
	refusedSize = 4000             // bytes of records that the broker refuses
)

// stage is everything from the disk to the query.
type stage struct {
	*scene.Scene
	trial.Session
	jaeger *jaeger.Server
	// Two servers scrape the same sidecar: one that stores native histograms, one
	// that knows only the classic ones.
	native, classic *prometheus.Server
	sidecar         *tailspan.Sidecar
	listen          string // of the sidecar
	began           time.Time
}

// set brings all of it up, and watches the story of the demo for a while.
func set(t *testing.T) *stage {
	t.Helper()
	bins, bin := tools(t), trial.Jaeger(t)
	s := &stage{Session: trial.Begin(t), listen: trial.FreeAddress(t)}
	s.Scene = s.Set(t, scene.Story())
	s.jaeger = trial.Answering(t, bin, s.Dir)
	s.native = s.scrape(t, bins, "native", false)
	s.classic = s.scrape(t, bins, "classic", true)
	s.sidecar = s.Watch(t, "tailspan", []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + s.jaeger.Endpoint()}, nil,
		[]*kafka.Broker{s.Broker}, "--slo", objective.String(), "--listen", s.listen)
	s.began = time.Now()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.provoke(t)
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	return s
}

// scrape starts a Prometheus with the configuration and the rules of deploy/; only
// the target is put in its place, and the intervals are shorter.
func (s *stage) scrape(t *testing.T, bins prometheus.Tools, name string, classic bool) *prometheus.Server {
	t.Helper()
	dir := filepath.Join(s.Dir, name)
	if err := os.CopyFS(dir, os.DirFS(deployed(t, "prometheus"))); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "prometheus.yml")
	text := replaced(t, read(t, config), "broker-1:9464", s.listen)
	text = replaced(t, text, "scrape_interval: 15s", "scrape_interval: "+scrapeEvery.String())
	text = replaced(t, text, "evaluation_interval: 15s", "evaluation_interval: 2s")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := bins.Start(t.Context(), prometheus.Options{Dir: dir, Config: config, Classic: classic})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func replaced(t *testing.T, text, old, with string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, with, 1)
}

// provoke waits, and has done now and then what the story does not do by itself:
// requests that the broker refuses, others that it flushes, and collections.
func (s *stage) provoke(t *testing.T) {
	t.Helper()
	const small = "small"
	if err := s.Broker.Create(t.Context(), kafka.Topic{Name: small, Partitions: 1, Configs: map[string]string{"max.message.bytes": "1000", "flush.messages": "1"}}); err != nil {
		t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Broker.Address()), kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck()),
		kgo.ProducerBatchCompression(kgo.NoCompression()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for end := time.Now().Add(watchFor); time.Now().Before(end); time.Sleep(3 * time.Second) {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: small, Value: []byte("taken")}).FirstErr(); err != nil {
			t.Error(err)
		}
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: small, Value: make([]byte, refusedSize)}).FirstErr(); err == nil {
			t.Error("a record of 4 kB was taken where 1 kB is the limit")
		}
		if out, err := exec.CommandContext(t.Context(), "jcmd", strconv.Itoa(s.Broker.PID()), "GC.run").CombinedOutput(); err != nil {
			t.Logf("jcmd: %v: %s", err, out)
		}
	}
}

// window is what a dashboard of the last 40 seconds makes of the variables.
func (s *stage) window() window {
	return window{Range: 40 * time.Second, Interval: 2 * time.Second, Scrape: scrapeEvery}
}

// target is the sidecar's instance label.
func (s *stage) target() string {
	return net.JoinHostPort("127.0.0.1", s.listen[strings.LastIndexByte(s.listen, ':')+1:])
}
