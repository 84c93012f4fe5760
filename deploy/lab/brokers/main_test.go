package brokers

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
			fmt.Fprintln(os.Stderr, "brokers:", err)
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

// session is one use of tailspan: the binary, and a directory for what is said.
type session struct{ bin, dir string }

func begin(t *testing.T) session {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "logs", "brokers", t.Name())
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return session{bin, dir}
}

// stage is a session with one broker.
type stage struct {
	*scene.Scene
	session
}

func set(t *testing.T, c scene.Config) *stage {
	t.Helper()
	s := &stage{session: begin(t)}
	c.Output = s.dir
	var err error
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

// record starts tailspan, and waits until it traces the brokers: what they do
// from then on is seen.
func (s session) record(t *testing.T, file string, brokers []*kafka.Broker, flags ...string) *tailspan.Sidecar {
	t.Helper()
	ts, err := tailspan.Start(s.bin, filepath.Join(s.dir, "tailspan.log"), []string{"OTEL_TRACES_EXPORTER=none"}, nil,
		append([]string{"run", "--record", file}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ts.Process.Stop(syscall.SIGKILL, time.Second) })
	tracing := func() bool {
		out, _ := ts.Output()
		for _, b := range brokers {
			if !strings.Contains(out, fmt.Sprintf(`msg="tracing broker" pid=%d `, b.PID())) {
				return false
			}
		}
		return true
	}
	if err := ts.Until(t.Context(), 20*time.Second, tracing); err != nil {
		t.Fatal(err)
	}
	return ts
}

// record has tailspan record the one broker alone.
func (s *stage) record(t *testing.T, file string) *tailspan.Sidecar {
	t.Helper()
	return s.session.record(t, file, []*kafka.Broker{s.Broker}, "--pid", fmt.Sprint(s.Broker.PID()))
}

// stop ends tailspan. What it says that it could not see explains what follows.
func stop(t *testing.T, ts *tailspan.Sidecar) {
	t.Helper()
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	out, err := ts.Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, lost, some := strings.Cut(out, "not everything could be seen"); some {
		t.Logf("not everything could be seen%s", strings.TrimSpace(lost))
	}
}

// replayed prints one kind of row of a recording.
func replayed[T any](t *testing.T, s session, file, kind string, flags ...string) []T {
	t.Helper()
	rows, err := tailspan.Replay[T](t.Context(), s.bin, filepath.Join(s.dir, kind+".log"), file, kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// requestLog reads what a broker logged of produce requests to a listener.
func requestLog(t *testing.T, b *kafka.Broker, p kafka.Protocol) (all []kafka.Request) {
	t.Helper()
	for r, err := range kafka.ReadRequestLog(b.RequestLogFile()) {
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
