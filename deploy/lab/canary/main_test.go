package canary

import (
	"path/filepath"
	"testing"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// stage is a session with a broker that clients must log in to, one that is
// none, and the marks that were put into both.
type stage struct {
	trial.Session
	*ledger
	run    *cache.Run
	broker *kafka.Broker
	fake   *fakeBroker
	people people
}

// set brings it up; it goes away with the test.
func set(t *testing.T) *stage {
	t.Helper()
	trial.NeedRoot(t)
	run, err := cache.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{Session: trial.Begin(t), ledger: newLedger(), run: run}
	s.people = newPeople(s.ledger)
	s.broker = s.start(t)
	s.fake = s.startFake(t)
	for _, topic := range []string{s.topic.Text(), compacted} {
		if err := s.broker.Create(t.Context(), kafka.Topic{Name: topic, Partitions: partitions, Configs: topicConfigs[topic]}); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range s.people.scram {
		if err := s.broker.AddSCRAM(t.Context(), who, s.secretBytes(16, "SCRAM salt")); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

const (
	partitions = 4
	compacted  = "compacted" // refuses records without a key
)

var topicConfigs = map[string]map[string]string{compacted: {"cleanup.policy": "compact"}}

// start starts the broker, whose configuration and command line hold marks.
func (s *stage) start(t *testing.T) *kafka.Broker {
	t.Helper()
	b, err := kafka.Start(t.Context(), trial.Kafka(t), kafka.Config{
		Dir: s.run.Path("broker"), LogDir: s.run.Path("logs"), OutputDir: s.Dir,
		Protocols: []kafka.Protocol{kafka.SASLPlaintext, kafka.SASLSSL}, Logins: s.people.plain,
		JVM: []string{kafka.MonitorProbes, "-Dlab.secret=" + s.secret("JVM option").Text()},
		Properties: map[string]string{"lab.secret": s.secret("broker property").Text(), "connections.max.reauth.ms": "1500",
			"transaction.state.log.num.partitions": "1", "offsets.topic.num.partitions": "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("stop broker: %v", err)
		}
	})
	return b
}

// file is below the run's directory.
func (s *stage) file(name string) string { return filepath.Join(s.run.Dir, name) }
