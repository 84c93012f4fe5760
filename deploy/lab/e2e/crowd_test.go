package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const (
	crowdFor   = 25 * time.Second
	crowd      = 10 // producers to one partition, whose lock eight handlers want
	leastCrowd = 4  // requests that one write must have held up
)

// TestCrowd: many producers to one partition of a broker whose disk stalls. One
// write is found behind many requests; in the demo there are two at most.
func TestCrowd(t *testing.T) {
	trial.NeedRoot(t)
	c := scene1()
	c.Producers, c.Partitions, c.Load.PerSecond = crowd, 1, 400
	s := set(t, c)
	s.load(t)
	file := filepath.Join(s.Run.Dir, "crowd.pcapng")
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, nil, "--record", file)
	time.Sleep(crowdFor)
	trial.Stop(t, ts)
	if err := s.StopLoad(); err != nil {
		t.Fatal(err)
	}
	if most := s.checkHolders(t, file); most < leastCrowd {
		t.Errorf("no write held up more than %d requests", most)
	}
}
