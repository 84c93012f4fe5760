package exact

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// requests of the load.
func requests(t *testing.T) int {
	t.Helper()
	s := os.Getenv("LAB_REQUESTS")
	if s == "" {
		return 20_000
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 5000 {
		t.Fatalf("LAB_REQUESTS=%s: want a number of at least 5000", s)
	}
	return n
}

// run is a recorded run of the mixed load, and what everybody says of it.
type run struct {
	*scene.Scene
	trial.Session
	file    string
	mix     *clients.Mix
	counted int // requests, by the broker's metrics
}

func record(t *testing.T, n int) *run {
	t.Helper()
	s := trial.Begin(t)
	r := &run{Session: s, Scene: s.Set(t, scene.Config{})}
	r.file = r.Run.Path("mix.pcapng")
	ts := r.Watch(t, "tailspan", noExport, nil, []*kafka.Broker{r.Broker}, "--record", r.file, "--message-id-header", clients.Header)
	r.load(t, n)
	trial.Stop(t, ts)
	return r
}

var noExport = []string{trial.NoExport}

// load sends the requests, and asks the broker how many it has had.
func (r *run) load(t *testing.T, n int) {
	t.Helper()
	cacheDir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(r.Run.Dir, "sent")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.mix = clients.NewMix(clients.Options{Address: r.Broker.Address(), Dir: dir, Count: n,
		Seed: 4, Kafka: r.Kafka, CacheDir: cacheDir, Progress: trial.Progress(t)})
	begin := time.Now()
	if err := r.mix.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	tally, err := r.mix.Tally()
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(begin)
	t.Logf("%d requests and more in %s, %.0f a second: %+v", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), tally)
	time.Sleep(time.Second) // what is without acks is still being written
	counts, err := r.Broker.ProduceRequests(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		r.counted += int(c)
	}
}

// replayed hands on one kind of row of the recording.
func replayed[T any](t *testing.T, r *run, kind string, each func(*T)) {
	t.Helper()
	line := func(b []byte) error {
		var rows []T
		if err := tailspan.Into(&rows)(b); err != nil {
			return err
		}
		each(&rows[0])
		return nil
	}
	s, err := tailspan.Start(r.Bin, filepath.Join(r.Dir, kind+".log"), noExport, line,
		"replay", "--print", kind, "--format", "jsonl", r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
}
