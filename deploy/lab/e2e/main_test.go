package e2e

import (
	"os/exec"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

// needTool fails where an oracle is missing: as root, make test installs it.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Fatalf("%s is not installed: deploy/lab/install.sh", name)
	}
}

// stage is a session with one scene.
type stage struct {
	*scene.Scene
	trial.Session
}

func set(t *testing.T, c scene.Config) *stage {
	t.Helper()
	s := trial.Begin(t)
	return &stage{s.Set(t, c), s}
}

func (s *stage) load(t *testing.T) {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// watch starts tailspan on the broker, and waits until its probes are on.
func (s *stage) watch(t *testing.T, name string, env []string, line func([]byte) error, args ...string) *tailspan.Sidecar {
	t.Helper()
	return s.Watch(t, name, env, line, []*kafka.Broker{s.Broker}, args...)
}
