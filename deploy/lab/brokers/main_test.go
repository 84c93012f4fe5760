package brokers

import (
	"path/filepath"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// stage is a session with one broker.
type stage struct {
	*scene.Scene
	trial.Session
}

func set(t *testing.T, c scene.Config) *stage {
	t.Helper()
	s := trial.Begin(t)
	return &stage{s.Set(t, c), s}
}

// record has tailspan record what these brokers do.
func record(t *testing.T, s trial.Session, file string, brokers ...*kafka.Broker) *tailspan.Sidecar {
	t.Helper()
	return s.Watch(t, "tailspan", []string{trial.NoExport}, nil, brokers, "--record", file)
}

// replayed prints one kind of row of a recording.
func replayed[T any](t *testing.T, s trial.Session, file, kind string, flags ...string) []T {
	t.Helper()
	rows, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, kind+".log"), file, kind, flags...)
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
