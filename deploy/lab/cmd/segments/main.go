// Segments makes sidecar/segment/testdata: a small log dir of a real broker,
// with batches of every codec, a compacted log, one that the broker stamps, one
// of transactions; what DumpLogSegments says of them all; and the recording of
// how they were written.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/isolate"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

func main() {
	err := errors.Join(isolate.Mounts(), isolate.Tracefs())
	if err == nil {
		err = run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "segments:", err)
		os.Exit(1)
	}
}

// small makes segments of a few batches, with an index entry for nearly each.
var small = map[string]string{
	"log.index.interval.bytes": "256", "log.retention.ms": "-1", "log.roll.ms": "1500",
	"log.cleaner.backoff.ms": "300", "log.cleaner.min.cleanable.ratio": "0.01", "log.cleaner.delete.retention.ms": "1",
	"log.segment.delete.delay.ms":          "100",
	"transaction.state.log.num.partitions": "1",
}

func run() (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root, err := repo.Root()
	if err != nil {
		return err
	}
	bin, err := repo.Build(ctx)
	if err != nil {
		return err
	}
	s, err := scene.New(ctx, scene.Config{Broker: small}, os.Stdout)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	recording := s.Run.Path("recording.pcapng")
	t, err := record(ctx, bin, s, recording)
	if err != nil {
		return err
	}
	if err := produce(ctx, s.Broker.Address()); err != nil {
		return err
	}
	time.Sleep(time.Second)
	if err := t.Stop(); err != nil {
		return err
	}
	if err := until(ctx, func() bool { return cleaned(s.LogDir) }); err != nil {
		return fmt.Errorf("wait for the cleaner: %w", err)
	}
	if err := s.Broker.Stop(); err != nil { // it trims the indexes
		return err
	}
	to := filepath.Join(root, "sidecar", "segment", "testdata", "kafka-4.1.1")
	if err := keep(s.LogDir, to); err != nil {
		return err
	}
	return errors.Join(pack(recording, filepath.Join(to, "recording.pcapng.gz")), dump(ctx, s.Kafka, to))
}

// record starts tailspan on the broker, and waits until its probes are on.
func record(ctx context.Context, bin string, s *scene.Scene, file string) (*tailspan.Sidecar, error) {
	t, err := tailspan.Start(bin, s.Run.Path("tailspan.log"), []string{"OTEL_TRACES_EXPORTER=none"}, nil,
		"record", "--pid", fmt.Sprint(s.Broker.PID()), "--message-id-header", "message-id", "-o", file)
	if err != nil {
		return nil, err
	}
	return t, t.Until(ctx, time.Minute, func() bool {
		out, _ := t.Output()
		return strings.Contains(out, "tracing broker")
	})
}

func pack(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // a level that there is
	if _, err := z.Write(b); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

// cleaned says whether the cleaner has gone through what there was of the
// compacted log.
func cleaned(dir string) bool {
	b, _ := os.ReadFile(filepath.Join(dir, "cleaner-offset-checkpoint"))
	return strings.Contains(string(b), "compacted 0 ")
}

func until(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// kept are the files of a log dir that tell something.
func kept(name string) bool {
	switch filepath.Base(name) {
	case "meta.properties", "cleaner-offset-checkpoint", "log-start-offset-checkpoint", "partition.metadata", "leader-epoch-checkpoint":
		return true
	}
	return strings.HasSuffix(name, ".log") || strings.HasSuffix(name, ".index")
}

// keep copies the log dir of the topics that produce has made.
func keep(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	files, _ := filepath.Glob(filepath.Join(from, "*"))
	inner, _ := filepath.Glob(filepath.Join(from, "[a-z]*-0", "*"))
	for _, file := range append(files, inner...) {
		name, err := filepath.Rel(from, file)
		if err != nil {
			return err
		}
		if !kept(name) {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755),
			os.WriteFile(filepath.Join(to, name), b, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func dump(ctx context.Context, d *kafka.Dist, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*-*", "*.log"))
	if err != nil {
		return err
	}
	text, err := d.DumpText(ctx, files...)
	if err != nil {
		return err
	}
	text = strings.ReplaceAll(text, dir+"/", "")
	return os.WriteFile(filepath.Join(dir, "dump.txt"), []byte(text), 0o644)
}
