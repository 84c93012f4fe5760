package main

import (
	"log/slog"
	"os"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
)

// makeReport is `tailspan report`.
func makeReport(c config.Config, log *slog.Logger) error {
	spareCollections(pageLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	return sidecar.Report(ctx, sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version})
}

// compare is `tailspan compare`.
func compare(c config.Config, log *slog.Logger) error {
	spareCollections(pageLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	return sidecar.Compare(ctx, sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version})
}
