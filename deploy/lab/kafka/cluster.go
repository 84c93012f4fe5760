package kafka

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// clusterHeap is what makes three brokers fit beside other work.
var clusterHeap = []string{"-Xms256m", "-Xmx256m"}

// Cluster is brokers of this host that replicate to each other: each with its
// own ports and log directory, so leader and followers write the same bytes
// under different pids. Broker 1 has the controller too.
type Cluster struct {
	Brokers []*Broker // by id, from 1
	quorum  *quorum
}

// StartCluster starts n brokers and waits until all serve. Dir, OutputDir and
// LogDir are divided among them by their id; Port must be 0.
func StartCluster(ctx context.Context, d *Dist, n int, c Config) (*Cluster, error) {
	q, err := newQuorum(ctx, d, c)
	if err != nil {
		return nil, err
	}
	all := &Cluster{quorum: q}
	for id := 1; id <= n; id++ {
		b, err := launch(ctx, d, c.of(id), id, n, q)
		if err != nil {
			return nil, errors.Join(err, all.Stop())
		}
		all.Brokers = append(all.Brokers, b)
	}
	for _, b := range all.Brokers {
		if err := b.Until(ctx, readyWithin, b.serves); err != nil {
			return nil, errors.Join(err, all.Stop())
		}
	}
	return all, nil
}

// of is the configuration of one broker of a cluster.
func (c Config) of(id int) Config {
	name := fmt.Sprintf("broker-%d", id)
	c.keyDir = c.Dir // one key for all: each trusts itself
	c.Dir, c.LogDir = filepath.Join(c.Dir, name), filepath.Join(c.LogDir, name)
	c.JVM = append(append([]string{}, clusterHeap...), c.JVM...)
	return c
}

// Addresses are the first listeners, for bootstrap.servers.
func (c *Cluster) Addresses() string {
	all := make([]string, len(c.Brokers))
	for i, b := range c.Brokers {
		all[i] = b.Address()
	}
	return strings.Join(all, ",")
}

// Stop ends the brokers, a held one as well: all at once, but for the one with
// the controller, which the others ask for leave.
func (c *Cluster) Stop() error {
	if len(c.Brokers) == 0 {
		return c.quorum.stop()
	}
	first, others := c.Brokers[0], c.Brokers[1:]
	ended := make(chan error, len(others))
	for _, b := range others {
		go func() { ended <- b.Close() }()
	}
	var errs []error
	for range others {
		errs = append(errs, <-ended)
	}
	return errors.Join(append(errs, first.Close(), c.quorum.stop())...)
}

// Close ends what of a broker still runs, its ZooKeeper too if it has one of its
// own. Held, the broker could not end in order.
func (b *Broker) Close() error {
	if !b.Alive() {
		return b.quorum.stop()
	}
	return errors.Join(b.Resume(), b.Stop())
}
