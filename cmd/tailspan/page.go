package main

import (
	"log/slog"
	"os"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/progress"
)

// makeReport is `tailspan report`.
func makeReport(c config.Config, log *slog.Logger, t terminal) error {
	spareCollections(pageLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	task := t.start("", progress.Bytes(c.Args...))
	defer task.End()
	return sidecar.Report(ctx, sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version, Progress: task})
}

// compare is `tailspan compare`.
func compare(c config.Config, log *slog.Logger, t terminal) error {
	spareCollections(pageLimit)
	ctx, stop := untilSignal(log)
	defer stop()
	var files []string
	for _, r := range c.Recordings() {
		files = append(files, r.File)
	}
	task := t.start("", progress.Bytes(files...))
	defer task.End()
	return sidecar.Compare(ctx, sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version, Progress: task})
}
