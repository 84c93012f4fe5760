package exact

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/clients"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

func TestMain(m *testing.M) {
	if os.Geteuid() == 0 {
		if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
			fmt.Fprintln(os.Stderr, "exact:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

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
	bin, dir, file string
	mix            *clients.Mix
	counted        int // requests, by the broker's metrics
}

func record(t *testing.T, n int) *run {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{bin: bin, dir: filepath.Join(root, "logs", "exact", t.Name())}
	if err := errors.Join(os.RemoveAll(r.dir), os.MkdirAll(r.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	if r.Scene, err = scene.New(t.Context(), scene.Config{Output: r.dir}, progress{t}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close scene: %v", err)
		}
	})
	r.file = filepath.Join(r.Run.Dir, "mix.pcapng")
	ts, err := tailspan.Start(bin, filepath.Join(r.dir, "tailspan.log"), noExport, nil, "run",
		"--pid", fmt.Sprint(r.Broker.PID()), "--record", r.file, "--message-id-header", clients.Header)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(syscall.SIGKILL, time.Second) })
	tracing := func() bool { out, _ := ts.Output(); return strings.Contains(out, "tracing broker") }
	if err := ts.Until(t.Context(), 20*time.Second, tracing); err != nil {
		t.Fatal(err)
	}
	r.load(t, n, root)
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	return r
}

var noExport = []string{"OTEL_TRACES_EXPORTER=none"}

// load sends the requests, and asks the broker how many it has had.
func (r *run) load(t *testing.T, n int, cacheDir string) {
	t.Helper()
	dir := filepath.Join(r.Run.Dir, "sent")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	r.mix = clients.NewMix(clients.Options{Address: r.Broker.Address(), Dir: dir, Count: n,
		Seed: 4, Kafka: r.Kafka, CacheDir: cacheDir, Progress: progress{t}})
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
	s, err := tailspan.Start(r.bin, filepath.Join(r.dir, kind+".log"), noExport, line,
		"replay", "--print", kind, "--format", "jsonl", r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
}

type progress struct{ testing.TB }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
