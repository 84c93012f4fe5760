package main

import (
	"log/slog"
	"math"
	"os"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/progress"
)

// verify is `tailspan verify`: exit code 1 where a join is wrong.
func verify(c config.Config, log *slog.Logger, t terminal) error {
	ctx, stop := untilSignal(log)
	defer stop()
	c.Print, c.SLO = "none", math.MaxInt64 // no trace is built for nobody
	task := t.start("", progress.Bytes(c.Args[0]))
	defer task.End()
	s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: t.Above(os.Stdout), Version: version, Progress: task})
	if err != nil {
		return err
	}
	found, err := s.Verify(ctx, c.Args[0])
	if err != nil {
		return err
	}
	if found.Wrong > 0 {
		return codeError(exitFailed)
	}
	return nil
}
