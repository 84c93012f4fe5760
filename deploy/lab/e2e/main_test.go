package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/jaeger"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	if os.Geteuid() == 0 {
		if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// needRoot skips where the live path cannot run.
func needRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("the live path takes minutes (-short)")
	}
	if os.Geteuid() != 0 {
		t.Skip("probes, packets and mounts need root")
	}
}

// needTool fails where an oracle is missing: as root, make test installs it.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: deploy/lab/install.sh", name)
	}
}

// progress writes to the test's log.
type progress struct{ testing.TB }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// stage is a scene with the binary built, and a directory for what is said.
type stage struct {
	*scene.Scene
	bin, dir string
}

// set brings up a scene that goes away with the test.
func set(t *testing.T, c scene.Config) *stage {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	dir := outputDir(t)
	c.Output = dir
	s, err := scene.New(t.Context(), c, progress{t})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close scene: %v", err)
		}
	})
	return &stage{s, bin, dir}
}

// outputDir is where the processes of a test write what they say: kept, for a
// look after a failure, until the test runs again.
func outputDir(t *testing.T) string {
	t.Helper()
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "logs", "e2e", t.Name())
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (s *stage) load(t *testing.T) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const noExport = "OTEL_TRACES_EXPORTER=none"

// watch starts tailspan on the broker, and waits until its probes are on.
func (s *stage) watch(t *testing.T, name string, env []string, line func([]byte) error, args ...string) *tailspan.Sidecar {
	t.Helper()
	args = append([]string{"run", "--pid", fmt.Sprint(s.Broker.PID()), "--format", "jsonl"}, args...)
	ts, err := tailspan.Start(s.bin, filepath.Join(s.dir, name+".log"), env, line, args...)
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
	return ts
}

// stop ends tailspan, which must end well.
func stop(t *testing.T, ts *tailspan.Sidecar) {
	t.Helper()
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
}

// answering brings up a Jaeger that goes away with the test.
func answering(t *testing.T) *jaeger.Server {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	bin, err := jaeger.Build(t.Context(), dir, progress{t})
	if err != nil {
		t.Fatal(err)
	}
	ports, err := jaeger.FreePorts()
	if err != nil {
		t.Fatal(err)
	}
	s, err := jaeger.Start(t.Context(), bin, outputDir(t), ports)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}
