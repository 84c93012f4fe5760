package main

import (
	"os"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/progress"
	"github.com/tailspan/tailspan/sidecar/report/screen"
)

// terminal is where a command shows how it goes, beside what it prints and logs.
type terminal struct {
	*screen.Screen // nil: nowhere
}

// openTerminal finds it: how far a command has come goes where the log goes, unless
// rows that are printed go there as well.
func openTerminal(c *config.Config) terminal {
	if c.Print != "" && c.Print != "none" && screen.Of(os.Stdout) != nil {
		return terminal{}
	}
	return terminal{Screen: screen.Of(os.Stderr)}
}

// start begins a task that reads so many bytes, 0 if that is not known.
func (t terminal) start(what string, total int64) *progress.Task {
	return progress.Start(t.Screen, what, total)
}
