package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/repo"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

// recording is what the repository carries for those who cannot run it live.
var recording = filepath.Join("deploy", "lab", "testdata", "demo.pcapng.gz")

// replay shows the recording: tables first, then, once Jaeger answers, the
// same traces there.
func (d *demo) replay(ctx context.Context) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	file := filepath.Join(d.logs, "demo.pcapng")
	if err := unpack(filepath.Join(root, recording), file); err != nil {
		return fmt.Errorf("unpack recording: %w", err)
	}
	defer os.Remove(file)
	bin, err := repo.Build(ctx)
	if err != nil {
		return err
	}
	if err := d.feed(ctx, bin, file, []string{"OTEL_TRACES_EXPORTER=none"}); err != nil {
		return err
	}
	d.show(d.seen.stories())
	d.jaeger.start(ctx)
	if err := d.await(ctx); err != nil {
		return err
	}
	if err := d.feed(ctx, bin, file, d.jaeger.env()); err != nil {
		return err
	}
	for began := time.Now(); ; {
		if done, err := d.step(ctx, began); done || err != nil {
			return err
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
}

func unpack(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, z) // our own recording: its size is known to be harmless
	return errors.Join(err, out.Close())
}

// feed replays the recording once.
func (d *demo) feed(ctx context.Context, bin, file string, env []string) error {
	t, err := tailspan.Start(bin, d.log("tailspan"), env, d.seen.line, "replay", "--slo", slo.String(),
		"--threshold", threshold.String(), "--print", "traces", "--format", "jsonl", file)
	if err != nil {
		return err
	}
	return t.Finish(ctx)
}

// await waits for Jaeger.
func (d *demo) await(ctx context.Context) error {
	select {
	case err := <-d.jaeger.failed:
		return err
	case <-d.jaeger.started:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !d.jaeger.ready.Load() {
		return <-d.jaeger.failed
	}
	return nil
}
