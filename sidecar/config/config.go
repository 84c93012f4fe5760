// Package config makes one validated Config of flags, TAILSPAN_* environment
// variables, a YAML file and defaults, in this order of precedence.
//
// OTEL_* variables are OpenTelemetry's and are read by the exporter.
package config

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v3"
	"github.com/peterbourgon/ff/v3/ffyaml"

	"github.com/tailspan/tailspan/spans"
)

// Config is what a subcommand was asked to do.
type Config struct {
	PID             int           // only this broker; 0: all of this host
	Port            int           // take this TCP port for a broker's; 0: as discovered
	SLO             time.Duration // slower traces are exported; 0: all
	TopicSLOs       []TopicSLO    // of some topics
	KeepErrors      bool
	KeepCauses      []spans.Cause // cause or root cause
	KeepSlowest     int           // of each 10 s
	KeepShare       float64       // of all others, 0 to 1
	MaxSpansRate    int           // a second; 0: no limit
	AdoptParent     bool          // of the producer, as parent of the root
	QueueDir        string        // "": what is not delivered is kept in memory only
	QueueDirBytes   int64
	Listen          string        // "": nothing is served
	ListenAsked     bool          // it is not the default
	TraceURL        string        // with {trace_id}
	MaxTopics       int           // with metrics of their own
	Threshold       time.Duration // faster rows are not printed
	Print           string        // none or a kind of row
	View            bool          // of run, on a terminal, unless rows are printed
	Format          string        // table | jsonl
	MessageIDHeader string
	ThreadNames     bool     // ask the JVM for them
	Parks           string   // how they are seen: ParksKernel, …
	TraceContext    bool     // read the records' traceparent headers
	MaxWaitsRate    int      // contended enters a second of one JVM, beyond which its monitor probes are taken off; 0: no limit
	TopicIDs        string   // file
	Record          string   // file
	MonitorProbes   bool     // switch the JVM's probe flag on while it is traced
	StateDir        string   // what is owed to JVMs is written down here; "": nowhere
	Waits           string   // file, of replay
	LogDirs         []string // of verify
	Page            string   // file, of report and compare
	JSON            bool     // doctor
	LogLevel        string
	LogFormat       string
	Args            []string // what follows the flags
}

// ErrUsage is wrapped by errors that are the caller's; flag.ErrHelp means
// that help was asked for and printed.
var ErrUsage = errors.New("usage")

// prints and formats are the values of --print and --format.
var (
	printed = []string{"none", "requests", "writes", "joined", "waits", "commits", "traces", "stacks"}
	formats = []string{"table", "jsonl"}
)

// command says which flags a subcommand takes and what follows them.
type command struct {
	flags []func(*flag.FlagSet, *Config)
	args  string
	check func(*Config) error
	whole bool // its output is one JSON document, not lines
}

func (c *command) formats() []string {
	if c.whole {
		return []string{"table", "json"}
	}
	return formats
}

var commands = map[string]command{
	"run":     {flags: []func(*flag.FlagSet, *Config){brokers, probeFlag, parks, sampling, queueDir, listen("127.0.0.1:9464"), prints, view, record}, check: noArgs},
	"record":  {flags: []func(*flag.FlagSet, *Config){brokers, probeFlag, parks, recordTo}, check: needsRecord},
	"replay":  {flags: []func(*flag.FlagSet, *Config){packets, sampling, queueDir, listen(""), prints, waits}, args: " FILE...", check: needsFiles},
	"verify":  {flags: []func(*flag.FlagSet, *Config){format, logDirs}, args: " RECORDING", check: needsLogDirs},
	"report":  {flags: []func(*flag.FlagSet, *Config){packets, objectives, pageTo, waits}, args: " FILE...", check: needsRecordings},
	"compare": {flags: []func(*flag.FlagSet, *Config){packets, objectives, compareTo}, args: " [NAME=]FILE [NAME=]FILE...", check: needsSeveral, whole: true},
	"doctor":  {flags: []func(*flag.FlagSet, *Config){doctor, stateDir}, check: noArgs},
	"version": {check: noArgs},
}

func brokers(f *flag.FlagSet, c *Config) {
	f.IntVar(&c.PID, "pid", 0, "trace only the broker with this process `id`")
	f.BoolVar(&c.ThreadNames, "thread-names", true, "ask the broker's JVM for its threads' full names, by one thread dump; false sends it nothing")
	f.IntVar(&c.MaxWaitsRate, "max-waits-rate", 20000, "take the monitor probes off a JVM for a while where more waits than this begin in a second; 0 never does")
	packets(f, c)
}

func packets(f *flag.FlagSet, c *Config) {
	f.IntVar(&c.Port, "port", 0, "take this TCP `port` for a broker's")
	f.StringVar(&c.TopicIDs, "topic-ids", "", "JSON `file`, topic id to name")
	f.StringVar(&c.MessageIDHeader, "message-id-header", "", "record header that carries the application's message id")
	f.BoolVar(&c.TraceContext, "trace-context", true, "read the producers' trace contexts from the record header traceparent")
}

func prints(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Print, "print", "none", strings.Join(printed, "|"))
	format(f, c)
	f.DurationVar(&c.Threshold, "threshold", 0, "print only what took at least this")
}

func view(f *flag.FlagSet, c *Config) {
	f.BoolVar(&c.View, "view", true, "on a terminal, unless rows are printed, show what goes on; false: only the log")
}

func format(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Format, "format", "table", strings.Join(formats, "|"))
}

func record(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Record, "record", "", "record to this `file` as well")
}

func recordTo(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Record, "o", "", "record to this `file`")
}

func doctor(f *flag.FlagSet, c *Config) {
	f.IntVar(&c.PID, "pid", 0, "examine only the broker with this process `id`")
	f.BoolVar(&c.JSON, "json", false, "print JSON")
}

// Parse reads the flags of a subcommand. Help goes to stderr.
func Parse(name string, args []string, stderr io.Writer) (Config, error) {
	cmd, ok := commands[name]
	if !ok {
		return Config{}, fmt.Errorf("%w: no command %q", ErrUsage, name)
	}
	var c Config
	fs := flagSet(name, cmd, &c, stderr)
	if err := unknownVariables(os.Environ()); err != nil {
		return Config{}, err
	}
	err := ff.Parse(fs, flagsFirst(fs, args),
		ff.WithEnvVarPrefix("TAILSPAN"),
		ff.WithConfigFileFlag("config"),
		ff.WithConfigFileParser(ffyaml.Parser),
		ff.WithIgnoreUndefined(false))
	if errors.Is(err, flag.ErrHelp) {
		return Config{}, flag.ErrHelp
	}
	if err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	c.Args = fs.Args()
	fs.Visit(func(f *flag.Flag) { c.ListenAsked = c.ListenAsked || f.Name == "listen" })
	if err := c.validate(cmd); err != nil {
		return Config{}, fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return c, nil
}

func flagSet(name string, cmd command, c *Config, stderr io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("tailspan "+name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	for _, add := range cmd.flags {
		add(fs, c)
	}
	fs.StringVar(&c.LogLevel, "log-level", "info", "debug|info|warn|error")
	fs.StringVar(&c.LogFormat, "log-format", "text", "text|json")
	fs.String("config", "", "YAML `file` with flags as keys")
	fs.Usage = func() {
		fmt.Fprintf(stderr, "usage: tailspan %s [flags]%s\n", name, cmd.args)
		fs.SetOutput(stderr)
		fs.PrintDefaults()
		fs.SetOutput(io.Discard)
	}
	return fs
}

// flagsFirst moves flags before the arguments that they may follow
// (`replay FILE --print joined`), which package flag does not look for.
func flagsFirst(fs *flag.FlagSet, args []string) []string {
	var flags, rest []string
	for i := 0; i < len(args); i++ {
		name := strings.TrimLeft(args[i], "-")
		switch {
		case args[i] == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case name == args[i] || name == "": // "-" is a file, too
			rest = append(rest, args[i])
		default:
			flags = append(flags, args[i])
			if takesValue(fs, name) && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		}
	}
	return append(append(flags, "--"), rest...)
}

// takesValue says whether a flag's value is the next argument.
func takesValue(fs *flag.FlagSet, name string) bool {
	f := fs.Lookup(name)
	if f == nil {
		return false // it has its value after "=", or is none of ours
	}
	b, ok := f.Value.(interface{ IsBoolFlag() bool })
	return !ok || !b.IsBoolFlag()
}

// unknownVariables refuses TAILSPAN_ variables that no subcommand has a flag
// for: a misspelt one would silently do nothing.
func unknownVariables(environ []string) error {
	known := map[string]bool{}
	for name, cmd := range commands {
		flagSet(name, cmd, &Config{}, io.Discard).VisitAll(func(f *flag.Flag) {
			known["TAILSPAN_"+strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))] = true
		})
	}
	for _, kv := range environ {
		key, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(key, "TAILSPAN_") && !known[key] {
			return fmt.Errorf("%w: unknown environment variable %s", ErrUsage, key)
		}
	}
	return nil
}

func (c *Config) validate(cmd command) error {
	switch {
	case c.Print != "" && !slices.Contains(printed, c.Print):
		return fmt.Errorf("--print %s: want one of %s", c.Print, strings.Join(printed, ", "))
	case c.Format != "" && !slices.Contains(cmd.formats(), c.Format):
		return fmt.Errorf("--format %s: want %s", c.Format, strings.Join(cmd.formats(), " or "))
	case c.Parks != "" && !slices.Contains(parkWays, c.Parks):
		return fmt.Errorf("--parks %s: want one of %s", c.Parks, strings.Join(parkWays, ", "))
	case c.Threshold < 0:
		return errors.New("--threshold is not negative")
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("--port %d: not a TCP port", c.Port)
	case c.MonitorProbes && c.StateDir == "":
		return errors.New("--enable-monitor-probes takes a --state-dir: it could not be put back after a kill")
	case c.MaxWaitsRate < 0:
		return errors.New("--max-waits-rate is not negative")
	case c.PID < 0:
		return fmt.Errorf("--pid %d: not a process id", c.PID)
	case new(slog.Level).UnmarshalText([]byte(c.LogLevel)) != nil:
		return fmt.Errorf("--log-level %s: want debug, info, warn or error", c.LogLevel)
	case !slices.Contains([]string{"text", "json"}, c.LogFormat):
		return fmt.Errorf("--log-format %s: want text or json", c.LogFormat)
	}
	if err := errors.Join(c.validateSampling(), c.validateExport()); err != nil {
		return err
	}
	return cmd.check(c)
}

func noArgs(c *Config) error {
	if len(c.Args) > 0 {
		return fmt.Errorf("unexpected argument %q", c.Args[0])
	}
	return nil
}

func needsRecord(c *Config) error {
	if c.Record == "" {
		return errors.New("-o FILE is missing")
	}
	return noArgs(c)
}
