package contend

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/jdk"
	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/steady"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

const (
	enough = 2000 // requests
	slice  = time.Second
	quiet  = 500 * time.Millisecond
)

// TestBroker: the waits of a real broker, of all monitors and threads, are those
// of its own recording.
func TestBroker(t *testing.T) {
	trial.NeedRoot(t)
	bin := trial.Begin(t).Bin
	all, err := jdk.All(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range all {
		if j.Release != 17 && j.Release != 25 || j.Origin == jdk.Wheel {
			continue
		}
		t.Run(strings.ReplaceAll(j.String(), " ", "-"), func(t *testing.T) { brokerWaits(t, bin, j) })
	}
}

func brokerWaits(t *testing.T, bin string, j jdk.JDK) {
	dir := trial.Output(t)
	recorded := filepath.Join(dir, "waits.jfr")
	options, err := jfr.Options(recorded, jfr.ExactClock...)
	if err != nil {
		t.Fatal(err)
	}
	b := broker(t, j, dir, append(options, "-Xms256m", "-Xmx256m", kafka.MonitorProbes))
	ts, file := record(t, bin, dir, b.PID())
	w := load(t, b)
	if err := b.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	theirs, err := jfr.Waits(t.Context(), recorded)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{name: "broker"}
	for _, x := range waits(t, bin, dir, file) {
		if w.has(x.Start) {
			r.ours = append(r.ours, x)
		}
	}
	for _, x := range theirs {
		if w.has(x.Start.UnixNano()) {
			r.jvm = append(r.jvm, x)
		}
	}
	r.compare(t)
	d := r.last()
	t.Logf("last holder: %d agree, %d do not, %d waits without an exit", d.agree, len(d.lines), d.none)
}

// broker starts one on a JDK.
func broker(t *testing.T, j jdk.JDK, dir string, options []string) *kafka.Broker {
	t.Helper()
	root, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	d, err := kafka.Install(t.Context(), root, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	run, err := cache.NewRun()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Close() })
	b, err := kafka.Start(t.Context(), d, kafka.Config{Dir: run.Path("broker"), LogDir: run.Path("logs"), OutputDir: dir,
		Java: j.Java(), JVM: options})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// load produces from several connections to one partition, so that handlers meet
// at its lock, and returns when: around it the broker has nothing to do.
func load(t *testing.T, b *kafka.Broker) (w window) {
	t.Helper()
	if err := b.CreateTopic(t.Context(), "orders", 1); err != nil {
		t.Fatal(err)
	}
	clients, err := steady.Connect(b.Address(), "orders", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clients {
		defer c.Close()
	}
	time.Sleep(quiet)
	w.from = time.Now().Add(-quiet / 2).UnixNano()
	requests := 0
	for end := time.Now().Add(waitsWithin); requests < enough && time.Now().Before(end); {
		took, err := steady.Latencies(t.Context(), clients, slice)
		if err != nil {
			t.Fatal(err)
		}
		requests += len(took)
	}
	time.Sleep(quiet)
	w.to = time.Now().Add(-quiet / 2).UnixNano()
	t.Logf("%d requests", requests)
	return w
}
