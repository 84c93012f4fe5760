package clients

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
)

// TestTooFewReplicas: once the second of two replicas is gone, acks=all is refused.
// Not in parallel: topics of other tests would come to lie on the second broker.
func TestTooFewReplicas(t *testing.T) {
	s, o := stage(t)
	second := secondBroker(t, s.Broker)
	o.Client, o.ClientID, o.Count, o.Topics = Raw, "raw-replicas", 5, plainTopics("replicas")
	o.Raw.Shapes = []Shape{TooFewReplicas}
	if err := MakeTopics(t.Context(), o.Address, []Topic{replicated(&o)}); err != nil {
		t.Fatal(err)
	}
	if err := second.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, b := range mustRun(t, o) {
		if b.Error == nil || *b.Error != kerr.NotEnoughReplicas.Code {
			t.Errorf("not refused: %+v", b)
		}
	}
	log := dump(t, s)
	if n := len(log[twoTopic(&o)+"-0"]); n != 0 {
		t.Errorf("%d batches in the log", n)
	}
}

// secondBroker joins the cluster of the first, which stays the only controller.
func secondBroker(t *testing.T, first *kafka.Broker) *kafka.Broker {
	t.Helper()
	conf, err := os.ReadFile(filepath.Join(first.Dir, "server.properties"))
	if err != nil {
		t.Fatal(err)
	}
	p := map[string]string{"process.roles": "broker", "node.id": "2"}
	for line := range strings.Lines(string(conf)) {
		if voters, ok := strings.CutPrefix(line, "controller.quorum.voters="); ok {
			p["controller.quorum.voters"] = strings.TrimSpace(voters)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	p["listeners"] = fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", port)
	dir := t.TempDir()
	b, err := kafka.Start(t.Context(), first.Dist, kafka.Config{
		Dir: filepath.Join(dir, "broker"), OutputDir: dir, LogDir: filepath.Join(dir, "logs"), Properties: p, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return b
}
