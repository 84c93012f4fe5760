package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/metrics/push"
	"github.com/tailspan/tailspan/sidecar/report/progress"
	"github.com/tailspan/tailspan/spans/otlp"
)

// run is `tailspan run` and, with nothing printed or exported, `record`.
func run(c config.Config, log *slog.Logger, t terminal) error {
	limitMemory(liveLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	pushes := false
	recordOnly := c.Print == ""
	if !recordOnly {
		var err error
		if pushes, err = push.Enabled(); err != nil {
			return err
		}
	} else {
		c.Print, c.Format, c.SLO = "none", "table", math.MaxInt64 // no trace is built for nobody
	}
	task := t.start("attaching probes", 0)
	defer task.End()
	s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version,
		Export: !recordOnly && otlp.Enabled(), Push: pushes, View: t.view, Progress: task})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// replay exports only where the environment says so: a look at a recording
// should not need a collector.
func replay(c config.Config, log *slog.Logger, t terminal) error {
	spareCollections(liveLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	task := t.start("", toRead(c))
	defer task.End()
	for _, file := range c.Args {
		if ctx.Err() != nil {
			return nil
		}
		s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version,
			Export: exportAsked(), Progress: task})
		if err != nil {
			return err
		}
		if err := s.Replay(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// toRead is how much a replay reads: with waits from elsewhere it looks through
// each file beforehand.
func toRead(c config.Config) int64 {
	files := c.Args
	if c.Waits != "" {
		for _, f := range c.Args {
			files = append(files, f, c.Waits)
		}
	}
	return progress.Bytes(files...)
}

// A replay works through its file as fast as it can and holds some ten
// megabytes: it may grow to several times that between two collections. Live,
// where memory is the broker's neighbour's, Go's own pace stays, and near the
// limit collections come sooner: under a flood of 100,000 requests a second it
// holds 50 MB and makes 200 MB of garbage a second.
const (
	replayGOGC = 400
	liveLimit  = 200 << 20
	pageLimit  = 1 << 30 // from here on collections are not spared
)

// spareCollections has collections come seldom, up to a limit; what the
// environment sets is left alone.
func spareCollections(limit int64) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(replayGOGC)
	}
	limitMemory(limit)
}

func limitMemory(limit int64) {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(limit)
	}
}

func exportAsked() bool {
	for _, key := range []string{"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if os.Getenv(key) != "" {
			return otlp.Enabled()
		}
	}
	return false
}
