package versions

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

func TestMain(m *testing.M) {
	if os.Geteuid() == 0 {
		if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
			fmt.Fprintln(os.Stderr, "versions:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// needRoot skips where the live path cannot run.
func needRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("brokers take a minute (-short)")
	}
	if os.Geteuid() != 0 {
		t.Skip("probes and packets need root")
	}
}

// stage is a broker under test, and a directory for what is said.
type stage struct {
	*scene.Scene
	bin, dir string
}

func set(t *testing.T, c scene.Config) *stage {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{bin: bin, dir: filepath.Join(root, "logs", "versions", t.Name())}
	if err := errors.Join(os.RemoveAll(s.dir), os.MkdirAll(s.dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	c.Output = s.dir
	if s.Scene, err = scene.New(t.Context(), c, progress{t}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close scene: %v", err)
		}
	})
	return s
}

// record starts tailspan on the broker, and waits until its probes are on.
func (s *stage) record(t *testing.T, file string) *tailspan.Sidecar {
	t.Helper()
	ts, err := tailspan.Start(s.bin, filepath.Join(s.dir, "tailspan.log"), []string{"OTEL_TRACES_EXPORTER=none"}, nil,
		"run", "--pid", fmt.Sprint(s.Broker.PID()), "--record", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(syscall.SIGKILL, time.Second) })
	tracing := func() bool {
		out, _ := ts.Output()
		return strings.Contains(out, "tracing broker")
	}
	if err := ts.Until(t.Context(), 20*time.Second, tracing); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // attached after that line
	return ts
}

// replayed prints one kind of row of a recording.
func replayed[T any](t *testing.T, s *stage, file, kind string, flags ...string) []T {
	t.Helper()
	rows, err := tailspan.Replay[T](t.Context(), s.bin, filepath.Join(s.dir, kind+".log"), file, kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// requestLog reads what the broker logged of produce requests to a listener.
func (s *stage) requestLog(t *testing.T, p kafka.Protocol) (all []kafka.Request) {
	t.Helper()
	for r, err := range kafka.ReadRequestLog(s.Broker.RequestLogFile()) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Produce != nil && r.Protocol == p {
			all = append(all, r)
		}
	}
	return all
}

// progress writes to the test's log.
type progress struct{ testing.TB }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
