package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// quorum is what keeps the metadata of a cluster: the controller inside
// broker 1, or a ZooKeeper. One is enough: the lab holds back and ends
// followers, never the metadata.
type quorum struct {
	port   int            // of the controller, or of ZooKeeper
	keeper *child.Process // nil: KRaft
}

// newQuorum finds a port for the controller, or starts a ZooKeeper.
func newQuorum(ctx context.Context, d *Dist, c Config) (*quorum, error) {
	free, err := freePorts(1)
	if err != nil {
		return nil, err
	}
	q := &quorum{port: free[0]}
	if !d.Version.zooKeeper() {
		return q, nil
	}
	dir := filepath.Join(c.Dir, "zookeeper")
	conf := filepath.Join(c.Dir, "zookeeper.properties")
	text := fmt.Sprintf("dataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n", dir, q.port)
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(conf, []byte(text), 0o644)); err != nil {
		return nil, fmt.Errorf("configure zookeeper: %w", err)
	}
	q.keeper, err = child.Start("zookeeper", filepath.Join(c.OutputDir, "zookeeper.log"),
		d.server(context.Background(), light, "org.apache.zookeeper.server.quorum.QuorumPeerMain", conf))
	if err != nil {
		return nil, err
	}
	if err := q.keeper.Until(ctx, readyWithin, q.listens); err != nil {
		return nil, errors.Join(err, q.stop())
	}
	return q, nil
}

func (q *quorum) listens() bool {
	conn, err := net.DialTimeout("tcp", loopback(q.port), time.Second)
	return err == nil && conn.Close() == nil
}

// configure says in a broker's properties where the metadata is kept.
func (q *quorum) configure(p map[string]string, id int) {
	if q.keeper != nil {
		p["broker.id"] = strconv.Itoa(id)
		p["zookeeper.connect"] = loopback(q.port)
		return
	}
	p["node.id"] = strconv.Itoa(id)
	p["process.roles"] = "broker"
	p["controller.listener.names"] = controllerName
	p["controller.quorum.voters"] = "1@" + loopback(q.port)
	p["listener.security.protocol.map"] = protocolMap
	if id == 1 {
		p["process.roles"] = "broker,controller"
		p["listeners"] += fmt.Sprintf(",%s://%s", controllerName, loopback(q.port))
	}
}

func (q *quorum) stop() error {
	if q == nil || q.keeper == nil {
		return nil
	}
	err := q.keeper.Stop(syscall.SIGTERM, stopWithin)
	if q.keeper.ExitCode() == 128+int(syscall.SIGTERM) {
		return nil
	}
	return err
}
