// Tailspan turns every Kafka produce request into an OpenTelemetry trace,
// without touching the broker.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/tailspan/tailspan/sidecar"
	"github.com/tailspan/tailspan/sidecar/config"
)

// Exit codes, which scripts rely on.
const (
	exitDone    = 0
	exitFailed  = 1
	exitNothing = 2
	exitUsage   = 64
)

const usage = `usage: tailspan COMMAND [flags]

  run      trace the brokers of this host
  record   record what run would trace to a file
  replay   trace from recordings, or from a plain packet capture
  report   make one HTML page of recordings: latency over time, stalls, waterfalls
  compare  compare recordings of one load under different settings
  verify   prove the joins of a recording by the broker's log dirs
  doctor   say what can be traced here, and what to do about the rest
  version  say which tailspan this is

tailspan COMMAND -h lists the flags; each is also TAILSPAN_FLAG in the
environment, or a key of --config FILE.
`

var subcommands = map[string]func(config.Config, *slog.Logger, terminal) error{
	"run": run, "record": run, "replay": replay, "report": makeReport, "compare": compare,
	"verify": verify, "doctor": examine, "version": printVersion,
}

func main() { os.Exit(command(os.Args[1:])) }

func command(args []string) int {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return exitUsage
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Print(usage)
		return exitDone
	case "-version", "--version":
		args = append([]string{"version"}, args[1:]...)
	}
	do := subcommands[args[0]]
	if do == nil {
		fmt.Fprintf(os.Stderr, "tailspan: no command %q\n\n%s", args[0], usage)
		return exitUsage
	}
	c, err := config.Parse(args[0], args[1:], os.Stderr)
	if err == nil {
		t := openTerminal(args[0], &c)
		err = do(c, logger(c, t.Above(os.Stderr)), t)
	}
	return exitCode(err)
}

// codeError ends the program with a code, and nothing more to say.
type codeError int

func (e codeError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func exitCode(err error) int {
	var code codeError
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return exitDone
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "tailspan:", err)
	switch {
	case errors.Is(err, config.ErrUsage):
		return exitUsage
	case errors.Is(err, sidecar.ErrNothing):
		return exitNothing
	}
	return exitFailed
}

func logger(c config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
