package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
)

// MonitorProbes makes HotSpot fire its monitor probes.
const MonitorProbes = "-XX:+DTraceMonitorProbes"

// Config is what a broker may differ in. Dir holds its configuration, OutputDir
// what it and its producers say, LogDir its logs.
type Config struct {
	Dir, OutputDir, LogDir string

	Java       string            // that runs it; "": the Dist's
	JVM        []string          // further JVM options
	Properties map[string]string // override or add to server.properties
	Port       int               // of the first listener; 0: any free one
	Protocols  []Protocol        // a listener for each, beside the PLAINTEXT one
	Logins     []Login           // known by PLAIN, beside Lab
	OnlySSL    bool              // one SSL listener instead of the PLAINTEXT one, for other brokers as well
	RequestLog bool              // the broker writes its own request log
	UID        int               // of the broker; 0: ours. Its jars must be readable for it

	keyDir string // where its key and certificate are, "": Dir
}

// Broker is a running broker.
type Broker struct {
	*child.Process
	Config
	Dist *Dist
	ID   int

	ports   map[Protocol]int
	jmxPort int     // 0: its metrics are not open yet
	quorum  *quorum // ends with the broker; nil: it is the cluster's
}

const (
	readyWithin = 60 * time.Second
	stopWithin  = time.Minute // each log is synced
)

// Start formats the log directory if it is new, starts the broker, and waits
// until it serves. Of a version with ZooKeeper, the broker has one of its own.
func Start(ctx context.Context, d *Dist, c Config) (*Broker, error) {
	q, err := newQuorum(ctx, d, c)
	if err != nil {
		return nil, err
	}
	b, err := launch(ctx, d, c, 1, 1, q)
	if err != nil {
		return nil, errors.Join(err, q.stop())
	}
	b.quorum = q
	if err := b.Until(ctx, readyWithin, b.serves); err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

// launch starts broker id of n, and does not wait for it.
func launch(ctx context.Context, d *Dist, c Config, id, n int, q *quorum) (*Broker, error) {
	b := &Broker{Config: c, Dist: d, ID: id}
	if err := b.choosePorts(); err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(c.Dir, 0o755), os.MkdirAll(c.LogDir, 0o755), os.MkdirAll(c.OutputDir, 0o755)); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	properties, err := b.properties(n, q)
	if err != nil {
		return nil, err
	}
	conf, logging := filepath.Join(c.Dir, "server.properties"), filepath.Join(c.Dir, "logging.properties")
	if err := errors.Join(os.WriteFile(conf, properties, 0o600), os.WriteFile(logging, b.logging(), 0o644)); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	if err := c.handOver(conf); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	if !d.Version.zooKeeper() {
		format := c.owned(d.server(ctx, light, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", clusterID, "-c", conf))
		if _, err := run(format, "StorageTool"); err != nil {
			return nil, fmt.Errorf("format storage: %w", err)
		}
	}
	options := append([]string{"-Xms512m", "-Xmx512m", b.loggingOption(logging)}, c.JVM...)
	// Not bound to ctx: Stop asks it to end, in order.
	cmd := c.owned(d.on(c.Java).server(context.Background(), options, "kafka.Kafka", conf))
	b.Process, err = child.Start(fmt.Sprintf("broker %d", id), filepath.Join(c.OutputDir, b.logName()), cmd)
	return b, err
}

// logName: a cluster's brokers may share a directory of output.
func (b *Broker) logName() string {
	if b.ID == 1 {
		return "broker.log"
	}
	return fmt.Sprintf("broker-%d.log", b.ID)
}

func (b *Broker) choosePorts() error {
	free, err := freePorts(1 + len(b.Protocols))
	if err != nil {
		return err
	}
	if b.Port == 0 {
		b.Port = free[0]
	}
	b.ports = map[Protocol]int{b.first(): b.Port}
	for i, p := range b.Protocols {
		b.ports[p] = free[1+i]
	}
	return nil
}

// first is the protocol of the listener that is always there, which brokers
// use among themselves.
func (b *Broker) first() Protocol {
	if b.OnlySSL {
		return SSL
	}
	return Plaintext
}

// Address is the broker's first listener.
func (b *Broker) Address() string { return loopback(b.Port) }

// Stop ends the broker.
func (b *Broker) Stop() error {
	err := b.Process.Stop(syscall.SIGTERM, stopWithin)
	if b.cleanExit() {
		err = nil
	}
	return errors.Join(err, b.quorum.stop())
}

// Hold stops the broker's process where it is, as a host that swaps or a
// hypervisor that schedules something else does; Resume lets it go on.
func (b *Broker) Hold() error { return b.Signal(syscall.SIGSTOP) }

// Resume ends Hold.
func (b *Broker) Resume() error { return b.Signal(syscall.SIGCONT) }

// cleanExit: a JVM that SIGTERM ended exits with 128+15.
func (b *Broker) cleanExit() bool {
	return b.ExitCode() == 128+int(syscall.SIGTERM)
}

// started is what KafkaRaftServer, or the KafkaServer of old, says at last.
var started = []string{"Kafka Server started", "] started (kafka.server.KafkaServer)"}

// serves says whether the broker has said so in its output, and listens.
func (b *Broker) serves() bool {
	out, err := b.Output()
	if err != nil || !(strings.Contains(out, started[0]) || strings.Contains(out, started[1])) {
		return false
	}
	conn, err := net.DialTimeout("tcp", b.Address(), time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}
