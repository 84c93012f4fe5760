package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/doctor"
)

// examine is `tailspan doctor`: its exit code is the report's.
func examine(c config.Config, _ *slog.Logger, t terminal) error {
	task := t.start("examining this host", 0)
	r := doctor.Examine(doctor.Options{PID: int32(c.PID), StateDir: c.StateDir})
	task.End()
	if c.JSON {
		b, err := r.JSON()
		if err != nil {
			return err
		}
		fmt.Printf("%s\n", b)
	} else if err := r.WriteText(os.Stdout); err != nil {
		return err
	}
	if code := r.ExitCode(); code != 0 {
		return codeError(code)
	}
	return nil
}
