package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/spans/otlp"
)

// run is `tailspan run` and, with nothing printed or exported, `record`.
func run(c config.Config, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	recordOnly := c.Print == ""
	if recordOnly {
		c.Print, c.Format = "none", "table"
	}
	s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version,
		Export: !recordOnly && otlp.Enabled()})
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// replay exports only where the environment says so: a look at a recording
// should not need a collector.
func replay(c config.Config, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, file := range c.Args {
		s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version,
			Export: exportAsked()})
		if err != nil {
			return err
		}
		if err := s.Replay(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

func exportAsked() bool {
	for _, key := range []string{"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if os.Getenv(key) != "" {
			return otlp.Enabled()
		}
	}
	return false
}
