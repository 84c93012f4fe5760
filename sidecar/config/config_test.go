package config

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestPrecedence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("slo: 1s\nthreshold: 1s\nprint: waits\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TAILSPAN_SLO", "2s")
	t.Setenv("TAILSPAN_THRESHOLD", "2s")
	c, err := Parse("run", []string{"--config", file, "--slo", "3s"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if c.SLO != 3*time.Second || c.Threshold != 2*time.Second || c.Print != "waits" || c.Format != "table" {
		t.Errorf("flag, environment, file, default: got %+v", c)
	}
}

func TestTraceContext(t *testing.T) {
	for _, x := range []struct {
		args, env string
		want      bool
	}{{"", "", true}, {"--trace-context=false", "", false}, {"", "false", false}, {"--trace-context", "false", true}} {
		if x.env != "" {
			t.Setenv("TAILSPAN_TRACE_CONTEXT", x.env)
		}
		if c, err := Parse("run", strings.Fields(x.args), os.Stderr); err != nil || c.TraceContext != x.want {
			t.Errorf("%+v: got %v, %v", x, c.TraceContext, err)
		}
	}
}

func TestView(t *testing.T) {
	for _, x := range []struct {
		args, env string
		want      bool
	}{{"", "", true}, {"--view=false", "", false}, {"", "false", false}, {"--view", "false", true}} {
		if x.env != "" {
			t.Setenv("TAILSPAN_VIEW", x.env)
		}
		if c, err := Parse("run", strings.Fields(x.args), os.Stderr); err != nil || c.View != x.want {
			t.Errorf("%+v: got %v, %v", x, c.View, err)
		}
	}
}

// To write to a JVM's memory takes a word of the operator's.
func TestMonitorProbes(t *testing.T) {
	for _, args := range []string{"run", "record -o f", "run --state-dir d"} {
		a := strings.Fields(args)
		if c, err := Parse(a[0], a[1:], os.Stderr); err != nil || c.MonitorProbes {
			t.Errorf("%s: %v, %v", args, c.MonitorProbes, err)
		}
	}
	for _, args := range []string{"run --state-dir d --enable-monitor-probes", "record -o f --enable-monitor-probes --state-dir d"} {
		a := strings.Fields(args)
		if c, err := Parse(a[0], a[1:], os.Stderr); err != nil || !c.MonitorProbes || c.StateDir != "d" {
			t.Errorf("%s: %+v, %v", args, c, err)
		}
	}
	t.Setenv("TAILSPAN_ENABLE_MONITOR_PROBES", "true")
	t.Setenv("TAILSPAN_STATE_DIR", "e")
	if c, err := Parse("run", nil, os.Stderr); err != nil || !c.MonitorProbes || c.StateDir != "e" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := Parse("doctor", nil, os.Stderr); err != nil || c.StateDir != "e" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestUsage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("slow: 1s\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"run --print everything", "run --format xml", "run extra", "run --slo -1s", "run --max-waits-rate -1", "replay --max-waits-rate 1 f", "run --nonsense",
		"run --config " + file, "record", "replay", "fly", "doctor --slo 1s", "run --port 70000",
		"verify r", "verify --log-dir d", "verify r s --log-dir d", "verify r --log-dir ,", "run --log-dir d",
		"run --log-format loud", "replay --threshold x f",
		"run --enable-monitor-probes --state-dir=", "replay --enable-monitor-probes f", "doctor --enable-monitor-probes",
		"run --waits f", "run --keep-share 1.5", "run --keep-share NaN", "run --keep-slowest -1", "run --max-spans-rate -1",
		"run --topic-slo orders", "run --topic-slo [=1s", "run --topic-slo a=-1s", "run --keep-causes bad-luck",
		"run --listen 9464", "run --trace-url /trace/{trace_id}", "run --trace-url http://tempo/", "run --trace-url ftp://h/{trace_id}", "run --trace-url http://{trace_id}/", "run --max-topics 0", "run --adopt-parent --trace-context=false",
		"run --queue-dir d --queue-dir-size 0", "record -o f --listen :1", "doctor --slo 1s",
	} {
		a := strings.Fields(args)
		if _, err := Parse(a[0], a[1:], os.Stderr); !errors.Is(err, ErrUsage) {
			t.Errorf("%s: got %v, want a usage error", args, err)
		}
	}
}

func TestUnknownVariable(t *testing.T) {
	t.Setenv("TAILSPAN_SLOO", "1s")
	if _, err := Parse("run", nil, os.Stderr); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), "TAILSPAN_SLOO") {
		t.Errorf("got %v", err)
	}
}

func TestHelp(t *testing.T) {
	var b bytes.Buffer
	if _, err := Parse("replay", []string{"-h"}, &b); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(b.String(), "-message-id-header") {
		t.Errorf("help: %s", b.String())
	}
}

func TestFlagsAnywhere(t *testing.T) {
	c, err := Parse("replay", strings.Fields("a --print joined b --format=jsonl -slo 1s -- -c"), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.Args, " "); got != "a b -c" || c.Print != "joined" || c.Format != "jsonl" || c.SLO != time.Second {
		t.Errorf("files %q, %+v", got, c)
	}
	if _, err := Parse("replay", []string{"a", "--nonsense"}, os.Stderr); !errors.Is(err, ErrUsage) {
		t.Errorf("got %v", err)
	}
}

func TestLogDirs(t *testing.T) {
	for _, args := range []string{"r --log-dir a --log-dir b", "--log-dir a,b r", "--log-dir=a r --log-dir b"} {
		if c, err := Parse("verify", strings.Fields(args), os.Stderr); err != nil || strings.Join(c.LogDirs, " ") != "a b" || c.Args[0] != "r" {
			t.Errorf("%s: %+v, %v", args, c, err)
		}
	}
	t.Setenv("TAILSPAN_LOG_DIR", "e,f")
	if c, err := Parse("verify", []string{"r"}, os.Stderr); err != nil || strings.Join(c.LogDirs, " ") != "e f" {
		t.Errorf("%+v, %v", c, err)
	}
}
