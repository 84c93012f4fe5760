package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
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

	JVM        []string          // further JVM options
	Properties map[string]string // override or add to server.properties
	Port       int               // 0: any free one
}

// Broker is a running broker.
type Broker struct {
	*child.Process
	Config
	Dist *Dist
}

const (
	readyWithin = 60 * time.Second
	stopWithin  = 20 * time.Second
	clusterID   = "TailspanLabCluster0000"
)

// Start formats the log directory if it is new, starts the broker, and waits
// until it serves.
func Start(ctx context.Context, d *Dist, c Config) (*Broker, error) {
	var err error
	if c.Port == 0 {
		if c.Port, err = freePort(); err != nil {
			return nil, err
		}
	}
	controller, err := freePort()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(c.Dir, "server.properties")
	if err := errors.Join(os.MkdirAll(c.Dir, 0o755), os.MkdirAll(c.LogDir, 0o755),
		os.WriteFile(conf, properties(c, controller), 0o644)); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	if _, err := d.run(ctx, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", clusterID, "-c", conf); err != nil {
		return nil, fmt.Errorf("format storage: %w", err)
	}
	b := &Broker{Config: c, Dist: d}
	jvm := append([]string{"-Xms512m", "-Xmx512m"}, c.JVM...)
	// Not bound to ctx: Stop asks it to end, in order.
	b.Process, err = child.Start("broker", filepath.Join(c.OutputDir, "broker.log"),
		d.tool(context.Background(), jvm, "kafka.Kafka", conf))
	if err != nil {
		return nil, err
	}
	if err := b.Until(ctx, readyWithin, b.serves); err != nil {
		return nil, errors.Join(err, b.Stop())
	}
	return b, nil
}

// Address is the broker's listener.
func (b *Broker) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.Port)) }

// Stop ends the broker.
func (b *Broker) Stop() error {
	err := b.Process.Stop(syscall.SIGTERM, stopWithin)
	if b.cleanExit() {
		return nil
	}
	return err
}

// cleanExit: a JVM that SIGTERM ended exits with 128+15.
func (b *Broker) cleanExit() bool {
	return b.ExitCode() == 128+int(syscall.SIGTERM)
}

// serves says whether the broker has said so in its output, and listens.
func (b *Broker) serves() bool {
	out, err := b.Output()
	if err != nil || !strings.Contains(out, "Kafka Server started") {
		return false
	}
	conn, err := net.DialTimeout("tcp", b.Address(), time.Second)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// CreateTopic makes a topic with so many partitions.
func (b *Broker) CreateTopic(ctx context.Context, name string, partitions int) error {
	_, err := b.Dist.run(ctx, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", b.Address(),
		"--create", "--if-not-exists", "--topic", name, "--partitions", strconv.Itoa(partitions), "--replication-factor", "1")
	return err
}

func properties(c Config, controller int) []byte {
	p := map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"listeners":                                fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", c.Port, controller),
		"advertised.listeners":                     fmt.Sprintf("PLAINTEXT://127.0.0.1:%d", c.Port),
		"controller.listener.names":                "CONTROLLER",
		"controller.quorum.voters":                 fmt.Sprintf("1@127.0.0.1:%d", controller),
		"listener.security.protocol.map":           "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"log.dirs":                                 c.LogDir,
		"offsets.topic.replication.factor":         "1",
		"transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr":            "1",
		"group.initial.rebalance.delay.ms":         "0",
	}
	for k, v := range c.Properties {
		p[k] = v
	}
	var b strings.Builder
	for k, v := range p {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	return []byte(b.String())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find free port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
