package trial

import (
	"errors"
	"fmt"
	"io"
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

// Main is a TestMain: as root, what its tests mount dies with them. Every
// tailspan that they started must have accounted for every request.
func Main(m *testing.M) {
	if os.Geteuid() == 0 {
		if err := errors.Join(isolate.Mounts(), isolate.Tracefs()); err != nil {
			fmt.Fprintln(os.Stderr, "isolate:", err)
			os.Exit(1)
		}
	}
	code := m.Run()
	if err := tailspan.Audited(); err != nil {
		fmt.Fprintln(os.Stderr, "account:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// NeedRoot skips where the live path cannot run.
func NeedRoot(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("real brokers take a minute (-short)")
	}
	if os.Geteuid() != 0 {
		t.Skip("probes, packets and mounts need root")
	}
}

// Progress writes to the test's log.
func Progress(t testing.TB) io.Writer { return progress{t} }

type progress struct{ testing.TB }

func (p progress) Write(b []byte) (int, error) {
	p.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// NoExport is the environment in which tailspan exports nothing.
const NoExport = "OTEL_TRACES_EXPORTER=none"

// Session is the binary, and a directory for what the processes of a test say:
// kept, for a look after a failure, until the test runs again.
type Session struct{ Bin, Dir string }

// Begin builds the one and empties the other.
func Begin(t *testing.T) Session {
	t.Helper()
	bin, err := repo.Build(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return Session{bin, Output(t)}
}

// Output is the directory of a Session, for a test that needs no binary.
func Output(t *testing.T) string {
	t.Helper()
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd() // the directory of the test's package
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "logs", filepath.Base(here), t.Name())
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Set brings up a scene that goes away with the test.
func (s Session) Set(t *testing.T, c scene.Config) *scene.Scene {
	t.Helper()
	c.Output = s.Dir
	set, err := scene.New(t.Context(), c, Progress(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Errorf("close scene: %v", err)
		}
	})
	return set
}

// tracesWithin is what probes take to load and attach, and much more.
const tracesWithin = 20 * time.Second

// Watch starts `tailspan run`, printing jsonl, and waits until it traces all of
// these brokers: what they do from then on is seen. One broker is traced alone.
// Its log is called name.
func (s Session) Watch(t *testing.T, name string, env []string, line func([]byte) error, brokers []*kafka.Broker, flags ...string) *tailspan.Sidecar {
	t.Helper()
	args := []string{"run", "--format", "jsonl"}
	if len(brokers) == 1 {
		args = append(args, "--pid", fmt.Sprint(brokers[0].PID()))
	}
	ts, err := tailspan.Start(s.Bin, filepath.Join(s.Dir, name+".log"), env, line, append(args, flags...)...)
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
	if err := ts.Until(t.Context(), tracesWithin, tracing); err != nil {
		t.Fatal(err)
	}
	return ts
}

// Stop ends tailspan, which must end well. What it says that it could not see
// explains what follows.
func Stop(t *testing.T, ts *tailspan.Sidecar) {
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
