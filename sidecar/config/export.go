package config

import (
	"flag"
	"fmt"
	"net"

	"github.com/tailspan/tailspan/sidecar/serve"
)

// queueDir are the flags of what is not delivered yet.
func queueDir(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.QueueDir, "queue-dir", "", "`directory` for traces that the collector does not take yet; they outlive a restart")
	f.Int64Var(&c.QueueDirBytes, "queue-dir-size", 256<<20, "`bytes` in it at most")
}

// listen returns the flags of the HTTP server; addr is where it listens if
// nothing is said, "" for nowhere.
func listen(addr string) func(*flag.FlagSet, *Config) {
	return func(f *flag.FlagSet, c *Config) {
		f.StringVar(&c.Listen, "listen", addr, "`address` to serve /metrics, /report, /trace and /healthz at; empty: nowhere")
		f.StringVar(&c.TraceURL, "trace-url", "http://localhost:16686/trace/{trace_id}", "where a trace is to be looked at, a `URL` with {trace_id}; empty: nowhere")
		f.IntVar(&c.MaxTopics, "max-topics", 100, "topics with metrics of their own; what the others do is counted together")
	}
}

func (c *Config) validateExport() error {
	if c.QueueDir != "" && c.QueueDirBytes <= 0 {
		return fmt.Errorf("--queue-dir-size %d: want some bytes", c.QueueDirBytes)
	}
	if c.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("--listen %s: want HOST:PORT", c.Listen)
	}
	if err := serve.TraceURL(c.TraceURL).Check(); err != nil {
		return fmt.Errorf("--trace-url: %w: want an http URL with {trace_id}, as in http://localhost:16686/trace/{trace_id}, or nothing", err)
	}
	if c.MaxTopics < 1 {
		return fmt.Errorf("--max-topics %d: want one or more", c.MaxTopics)
	}
	return nil
}
