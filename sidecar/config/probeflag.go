package config

import (
	"flag"
	"os"
	"path/filepath"
)

func probeFlag(f *flag.FlagSet, c *Config) {
	f.BoolVar(&c.MonitorProbes, "enable-monitor-probes", false,
		"switch DTraceMonitorProbes on in the memory of the brokers' JVMs, and back at the end")
	stateDir(f, c)
}

func stateDir(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.StateDir, "state-dir", defaultStateDir(),
		"`directory` to note in which JVMs a flag was switched, so that it can be put back after a kill")
}

// defaultStateDir is /run/tailspan, or another user's directory for the like
// (XDG Base Directory Specification); "" where there is none.
func defaultStateDir() string {
	if os.Geteuid() == 0 {
		return "/run/tailspan"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "tailspan")
	}
	return ""
}
