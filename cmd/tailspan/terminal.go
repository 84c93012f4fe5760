package main

import (
	"os"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/progress"
	"github.com/tailspan/tailspan/sidecar/report/screen"
)

// terminal is where a command shows how it goes, beside what it prints and logs.
type terminal struct {
	*screen.Screen                // nil: nowhere
	view           *screen.Screen // it again, where a run shows its live view there
}

// openTerminal finds it: the live view is what a run has for its standard output,
// how far a command has come goes where the log goes, unless rows that are printed
// may come there as well, at once or through a pager.
func openTerminal(command string, c *config.Config) terminal {
	out := screen.Of(os.Stdout)
	printed := c.Print != "" && c.Print != "none"
	switch {
	case command == "run" && c.View && !printed && out != nil:
		return terminal{out, out}
	case printed && !toFile(os.Stdout):
		return terminal{}
	}
	return terminal{Screen: screen.Of(os.Stderr)}
}

// start begins a task that reads so many bytes, 0 if that is not known.
func (t terminal) start(what string, total int64) *progress.Task {
	return progress.Start(t.Screen, what, total)
}

// toFile says that what is printed is kept, and not looked at.
func toFile(f *os.File) bool {
	s, err := f.Stat()
	return err == nil && s.Mode().IsRegular()
}
