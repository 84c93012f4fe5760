package e2e

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/jvm"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

// TestSwitchedOn: a broker that was started without the flag shows its waits with
// their locks' classes while it is traced, and is afterwards as it was.
func TestSwitchedOn(t *testing.T) {
	trial.NeedRoot(t)
	c := quick()
	c.JVM = nil
	s := set(t, c)
	s.load(t)
	flag := func(want bool) {
		t.Helper()
		if on, err := jvm.MonitorProbes("/proc", int32(s.Broker.PID())); err != nil || on != want {
			t.Errorf("the flag is %v, %v, want %v", on, err, want)
		}
	}
	flag(false)
	var waits []assemble.WaitRow
	ts := s.watch(t, "tailspan", []string{trial.NoExport}, tailspan.Into(&waits), "--print", "waits",
		"--enable-monitor-probes", "--state-dir", filepath.Join(t.TempDir(), "state"))
	flag(true)
	time.Sleep(8 * time.Second)
	trial.Stop(t, ts)
	flag(false)
	named := 0
	for _, w := range waits {
		if w.Class != "" {
			named++
		}
	}
	t.Logf("%d waits, %d with a class", len(waits), named)
	if named == 0 || named < len(waits)*9/10 {
		t.Error("they are not seen by the JVM's probes")
	}
}
