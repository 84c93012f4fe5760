package main

import (
	"log/slog"
	"math"
	"os"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
)

// verify is `tailspan verify`: exit code 1 where a join is wrong.
func verify(c config.Config, log *slog.Logger) error {
	ctx, stop := untilSignal(log)
	defer stop()
	c.Print, c.SLO = "none", math.MaxInt64 // no trace is built for nobody
	s, err := sidecar.New(sidecar.Options{Config: c, Logger: log, Stdout: os.Stdout, Version: version})
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
