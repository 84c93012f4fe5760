package chaos

import (
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/sink"
	"github.com/tailspan/tailspan/deploy/lab/steady"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) {
	sink.Main()
	trial.Main(m)
}

const (
	topic      = "orders"
	partitions = 2
)

// stage is a session with a broker and the clients of its load.
type stage struct {
	*scene.Scene
	trial.Session
	clients []*steady.Client
}

func set(t *testing.T) *stage {
	t.Helper()
	trial.NeedRoot(t)
	s := trial.Begin(t)
	x := &stage{s.Set(t, scene.Config{Topic: topic, Partitions: partitions}), s, nil}
	var err error
	if x.clients, err = steady.Connect(x.Broker.Address(), topic, partitions); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range x.clients {
			c.Close()
		}
	})
	return x
}
