package chaos

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/sink"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

const (
	residentMost = 256 << 20 // bytes
	endsWithin   = 10 * time.Second
)

// TestCollector: it dies, comes back, hangs and goes on while a broker is under
// load, and is gone or hangs when tailspan is told to end in the middle of it.
func TestCollector(t *testing.T) {
	s := set(t)
	s.load(t, "warming up", 3*time.Second, nil)
	alone := s.load(t, "no tailspan", 2*time.Second, nil)
	t.Run("queue in memory", func(t *testing.T) { s.chaos(t, alone, false) })
	t.Run("queue on disk", func(t *testing.T) { s.chaos(t, alone, true) })
}

// chaos has one tailspan live through all of it.
func (s *stage) chaos(t *testing.T, alone phase, onDisk bool) {
	collector, err := sink.Spawn(t.Context(), freeAddress(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { collector.Kill() }()
	name, flags := "memory", []string{}
	if onDisk {
		name, flags = "disk", []string{"--queue-dir", t.TempDir()}
	}
	ts, seen := s.watch(t, name, collector, flags...)
	well, ill := []phase{alone}, []phase(nil)
	for _, p := range []struct {
		name string
		ill  bool
		d    time.Duration
		act  func() error
	}{
		{"collector well", false, 2 * time.Second, nil},
		{"collector killed", true, 3 * time.Second, func() error { collector.Kill(); return nil }},
		{"collector back", false, 2 * time.Second, func() error { return collector.Again(t.Context()) }},
		{"collector hangs", true, 5 * time.Second, collector.Hold},
		{"collector goes on", false, 2 * time.Second, collector.Resume},
		{"tailspan ends meanwhile", true, 3 * time.Second, func() error { return s.endMeanwhile(ts, collector, onDisk) }},
	} {
		x := s.load(t, p.name, p.d, p.act)
		if p.ill {
			ill = append(ill, x)
		} else {
			well = append(well, x)
		}
	}
	unaffected(t, well, ill)
	end, cancel := context.WithTimeout(t.Context(), endsWithin)
	defer cancel()
	if err := ts.Wait(end); err != nil {
		t.Fatalf("the end: %v", err)
	}
	seen.end()
	s.check(t, ts, seen, collector, onDisk)
	if onDisk {
		s.restore(t, ts.Account(), collector, flags)
	}
}

// endMeanwhile lets the collector hang, or kills it, and tells tailspan to end a
// second later, under load.
func (s *stage) endMeanwhile(ts *tailspan.Sidecar, collector *sink.Process, kill bool) error {
	time.AfterFunc(time.Second, func() { _ = ts.Signal(syscall.SIGTERM) })
	if kill {
		collector.Kill()
		return nil
	}
	return collector.Hold()
}

// watch starts tailspan with everything exported and its account asked for.
func (s *stage) watch(t *testing.T, name string, to *sink.Process, flags ...string) (*tailspan.Sidecar, *scraper) {
	t.Helper()
	address := freeAddress(t)
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + to.Address, "OTEL_EXPORTER_OTLP_TIMEOUT=1000"}
	ts := s.Watch(t, name, env, nil, []*kafka.Broker{s.Broker}, append(flags, "--slo", "0", "--listen", address)...)
	return ts, scrape(t.Context(), address, ts.PID())
}

// check holds what tailspan says against what the collector has.
func (s *stage) check(t *testing.T, ts *tailspan.Sidecar, seen *scraper, collector *sink.Process, onDisk bool) {
	t.Helper()
	_ = collector.Resume() // what it had read, it takes
	got, last := takenBy(t, collector), ts.Account()
	t.Logf("%d scrapes, at most %d requests pending and %d MiB resident; at the end %+v; the collector has %d requests, %d of them twice",
		seen.scrapes, seen.most.Pending, seen.resident>>20, *last, len(got.requests), got.again)
	if seen.wrong != nil || seen.scrapes < 50 {
		t.Errorf("of %d scrapes: %v", seen.scrapes, seen.wrong)
	}
	if seen.resident == 0 || seen.resident > residentMost {
		t.Errorf("%d bytes resident", seen.resident)
	}
	if n := uint64(len(got.requests)); n < last.Exported || n > last.Seen || last.Exported == 0 {
		t.Errorf("%d requests exported, the collector has %d", last.Exported, n)
	}
	if got.torn > 0 {
		t.Errorf("%d traces are torn", got.torn)
	}
	switch lost := last.Dropped["export: undelivered"] + last.Dropped["export: queue_full"]; {
	case onDisk && (last.Pending == 0 || lost > 0):
		t.Errorf("with a directory, nothing is lost and all that waits is left there: %+v", *last)
	case !onDisk && lost == 0:
		t.Errorf("without a directory, what a hanging collector did not take by the end is lost, and said to be: %+v", *last)
	}
}

// restore has the next tailspan deliver what the one before it left.
func (s *stage) restore(t *testing.T, left *tailspan.Account, collector *sink.Process, flags []string) {
	t.Helper()
	if err := collector.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := len(takenBy(t, collector).requests)
	ts, seen := s.watch(t, "disk-next", collector, flags...)
	time.Sleep(3 * time.Second) // nothing is produced
	if err := ts.Stop(); err != nil {
		t.Fatal(err)
	}
	seen.end()
	got, last := takenBy(t, collector), ts.Account()
	t.Logf("%d requests were left, the next tailspan exported %d; the collector has %d more, %d twice", left.Pending, last.Exported, len(got.requests)-before, got.again)
	if last.Pending > 0 || last.Exported < left.Pending || seen.wrong != nil || got.torn > 0 {
		t.Errorf("%+v was left, then %+v, %v; %d torn", *left, *last, seen.wrong, got.torn)
	}
	if all := left.Exported + last.Exported; uint64(len(got.requests)) < all {
		t.Errorf("the collector has %d requests, %d were exported", len(got.requests), all)
	}
}
