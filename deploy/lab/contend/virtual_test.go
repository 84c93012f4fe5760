package contend

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// unmounts is the first release in which a virtual thread leaves its carrier
// while it waits for a monitor (JEP 491): then its wait begins on one thread of
// the kernel and ends on another, or its carrier begins another one's.
const unmounts = 24

// TestVirtual: until release 24 the waits of virtual threads are those of their
// carriers, and all are seen. From then on neither Tailspan nor the JVM's own
// recording sees them; none is made up.
func TestVirtual(t *testing.T) {
	trial.NeedRoot(t)
	bin := trial.Begin(t).Bin
	all, err := jdk.All(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		if j.Release < 21 || j.Origin != jdk.Wheel {
			continue
		}
		t.Run(strings.ReplaceAll(j.String(), " ", "-"), func(t *testing.T) { virtual(t, bin, j) })
	}
}

func virtual(t *testing.T, bin string, j jdk.JDK) {
	dir := trial.Output(t)
	recorded := filepath.Join(dir, "waits.jfr")
	options, err := jfr.Options(recorded, jfr.ExactClock...)
	if err != nil {
		t.Fatal(err)
	}
	// A carrier for each thread: those that wait hold theirs.
	p := launched(t, j, dir, append(options, kafka.MonitorProbes, "-Djdk.virtualThreadScheduler.parallelism=8")...)
	ts, file := record(t, bin, dir, p.PID())
	if err := p.Run(Options{Mode: Even, Threads: 6, Rate: 600, Virtual: true}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	counts, err := p.End()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	theirs, err := jfr.Waits(t.Context(), recorded)
	if err != nil {
		t.Fatal(err)
	}
	ours, jvm := 0, 0
	for _, w := range waits(t, bin, dir, file) {
		if w.Class == Class {
			ours++
		}
	}
	for _, w := range theirs {
		if w.Class == Class {
			jvm++
		}
	}
	t.Logf("%d waits of virtual threads, %d of the JVM's recording; they held the locks %d times", ours, jvm, counts.Holds)
	if counts.Holds < 100 {
		t.Error("they did not contend")
	}
	if j.Release >= unmounts {
		if ours > jvm {
			t.Errorf("%d waits that never were", ours-jvm)
		}
		return
	}
	if missing := math.Abs(float64(jvm - ours)); jvm < 100 || missing > mostMissing*float64(jvm) {
		t.Errorf("%d of %d waits were seen", ours, jvm)
	}
}
