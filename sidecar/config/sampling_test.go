package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/spans"
)

func TestObjective(t *testing.T) {
	file := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(file, []byte("topic-slo:\n- payments.*=20ms\n- '*.bulk=1s'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"--topic-slo payments.*=20ms,*.bulk=1s", "--topic-slo payments.*=20ms --topic-slo *.bulk=1s", "--config " + file} {
		c, err := Parse("run", append(strings.Fields(args), "--slo", "50ms"), os.Stderr)
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		slo := c.Objective()
		for range 2 { // the second time from memory
			for topic, want := range map[string]time.Duration{"payments.bulk": 20 * time.Millisecond, "orders.bulk": time.Second, "orders": 50 * time.Millisecond} {
				if got := slo(topic); got != want {
					t.Errorf("%s: %s has %v, want %v", args, topic, got, want)
				}
			}
		}
	}
}

func TestSampling(t *testing.T) {
	c, err := Parse("replay", strings.Fields("f --keep-causes jbd2.commit,monitor.wait --keep-share 0.5 --keep-errors=false"), os.Stderr)
	if err != nil || !slices.Equal(c.KeepCauses, []spans.Cause{spans.CauseCommit, spans.CauseMonitor}) || c.KeepShare != 0.5 || c.KeepErrors || c.Listen != "" {
		t.Errorf("%+v, %v", c, err)
	}
	for args, asked := range map[string]bool{"": false, "--listen 127.0.0.1:9464": true, "--listen=": true} {
		if c, err := Parse("run", strings.Fields(args), os.Stderr); err != nil || c.ListenAsked != asked {
			t.Errorf("%q: %+v, %v", args, c, err)
		}
	}
}
