package scene

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

// Config is what scenes differ in. The zero value is a broker on a plain
// directory, with no load.
type Config struct {
	Version    kafka.Version     // "": kafka.Default
	Disk       bool              // a slow disk under the log directory
	Format     slowdisk.Format   // its file system
	Schedule   slowdisk.Schedule // how slow
	Java       string            // that runs the broker; "": the one in the path
	JVM        []string
	Topic      string
	Partitions int
	Producers  int
	Load       kafka.Load // of each producer
	Broker     map[string]string
	Protocols  []kafka.Protocol // listeners beside the PLAINTEXT one
	OnlySSL    bool             // one SSL listener instead of the PLAINTEXT one
	RequestLog bool             // of the broker
	UID        int              // of the broker; 0: ours
	Output     string           // directory of what its processes say; "": the run's
}

// Story is the scene of the blog post. Three producers over two partitions:
// when the disk holds still, each has one request stuck, so two of them meet at
// one partition's lock: one writes, the other waits for it.
func Story() Config {
	return Config{
		Disk: true, Schedule: slowdisk.Story,
		JVM:   []string{kafka.MonitorProbes},
		Topic: "orders", Partitions: 2, Producers: 3,
		Load: kafka.Load{PerSecond: 2500, RecordSize: 300,
			Properties: map[string]string{"acks": "1", "batch.size": "2000"}},
		// The disk is small and the demo may go on for hours.
		Broker: map[string]string{
			"log.segment.bytes": "67108864", "log.retention.bytes": "134217728",
			"log.retention.check.interval.ms": "10000", "log.segment.delete.delay.ms": "1000",
		},
	}
}

const (
	diskBytes  = 1 << 30
	syncPeriod = 500 * time.Millisecond
)

// Scene is a running scene.
type Scene struct {
	Config
	Run       *cache.Run
	Kafka     *kafka.Dist
	Disk      *slowdisk.Disk // nil: none
	Broker    *kafka.Broker
	Producers []*kafka.Producer
	LogDir    string
	stopSync  context.CancelFunc
	synced    chan error
}

// New gets Kafka if it must, makes the disk, starts the broker, and makes the
// topic. Load starts the rest. Close ends everything.
func New(ctx context.Context, c Config, progress io.Writer) (*Scene, error) {
	s := &Scene{Config: c}
	if err := s.build(ctx, progress); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Scene) build(ctx context.Context, progress io.Writer) error {
	dir, err := cache.Dir()
	if err != nil {
		return err
	}
	if s.Kafka, err = kafka.InstallVersion(ctx, dir, cmp.Or(s.Version, kafka.Default), progress); err != nil {
		return err
	}
	if s.Run, err = cache.NewRun(); err != nil {
		return err
	}
	if s.UID != 0 {
		if err := os.Chmod(s.Run.Dir, 0o755); err != nil {
			return err
		}
	}
	if s.Output == "" {
		s.Output = s.Run.Path("output")
	}
	s.LogDir = s.Run.Path("logs")
	if s.Config.Disk {
		if s.Disk, err = slowdisk.New(ctx, s.Run.Dir, diskBytes, s.Format, s.Schedule); err != nil {
			return err
		}
		s.LogDir = filepath.Join(s.Disk.Mount, "logs")
	}
	return s.StartBroker(ctx, 0)
}

// StartBroker starts the broker, again if it has been stopped or killed.
func (s *Scene) StartBroker(ctx context.Context, port int) error {
	b, err := kafka.Start(ctx, s.Kafka, kafka.Config{
		Dir: s.Run.Path("broker"), OutputDir: s.Output, LogDir: s.LogDir,
		Java: s.Java, JVM: s.JVM, Properties: s.Config.Broker, Port: port,
		Protocols: s.Protocols, OnlySSL: s.OnlySSL, RequestLog: s.RequestLog, UID: s.UID})
	if err != nil {
		return err
	}
	s.Broker = b
	if s.Topic == "" {
		return nil
	}
	return b.CreateTopic(ctx, s.Topic, s.Partitions)
}

// Start starts the producers, the syncs and the stalls.
func (s *Scene) Start(context.Context) error {
	for n := range s.Config.Producers {
		l := s.Config.Load
		l.Topic = s.Topic
		p, err := s.Broker.Produce(n+1, l)
		if err != nil {
			return err
		}
		s.Producers = append(s.Producers, p)
	}
	if s.Disk == nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stopSync, s.synced = cancel, make(chan error, 1)
	go func() { s.synced <- s.Disk.SyncEvery(ctx, syncPeriod) }()
	return s.Disk.Stall()
}

// Check says whether all that should run still runs.
func (s *Scene) Check() error {
	if !s.Broker.Alive() {
		return fmt.Errorf("broker ended, see %s", s.Broker.Log)
	}
	for _, p := range s.Producers {
		if !p.Alive() {
			return fmt.Errorf("%s ended, see %s", p.Name, p.Log)
		}
	}
	return nil
}

// StopLoad ends producers and syncs; the broker goes on.
func (s *Scene) StopLoad() error {
	for _, p := range s.Producers {
		p.Stop()
	}
	s.Producers = nil
	if s.stopSync == nil {
		return nil
	}
	s.stopSync()
	s.stopSync = nil
	return <-s.synced
}

// Close ends all of it, in order, and removes the run's directory.
func (s *Scene) Close() error {
	errs := []error{s.StopLoad()}
	if s.Broker != nil {
		errs = append(errs, s.Broker.Close())
	}
	if s.Disk != nil {
		errs = append(errs, s.Disk.Close())
	}
	if s.Run != nil {
		errs = append(errs, s.Run.Close())
	}
	return errors.Join(errs...)
}
