package chaos

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/sink"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

// life is a tailspan with a collector of its own.
type life struct {
	*tailspan.Sidecar
	name      string
	flags     []string
	collector *sink.Process
	seen      *scraper
}

// begin starts both.
func (s *stage) begin(t *testing.T, name string, flags ...string) *life {
	t.Helper()
	collector, err := sink.Spawn(t.Context(), trial.FreeAddress(t), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { collector.Kill() })
	return s.watch(t, name, collector, flags...)
}

// watch starts a tailspan with everything exported and its account asked for.
func (s *stage) watch(t *testing.T, name string, to *sink.Process, flags ...string) *life {
	t.Helper()
	address := trial.FreeAddress(t)
	env := []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + to.Address, "OTEL_EXPORTER_OTLP_TIMEOUT=1000"}
	ts := s.Watch(t, name, env, nil, []*kafka.Broker{s.Broker}, append([]string{"--slo", "0", "--listen", address}, flags...)...)
	return &life{ts, name, flags, to, scrape(t.Context(), address, ts.PID())}
}

// endMeanwhile lets the collector hang, or kills it, and tells tailspan to end a
// second later, under load.
func (l *life) endMeanwhile(kill bool) error {
	time.AfterFunc(time.Second, func() { _ = l.Signal(syscall.SIGTERM) })
	if kill {
		l.collector.Kill()
		return nil
	}
	return l.collector.Hold()
}

// wait waits for the end, and for the account to be found right.
func (l *life) wait(t *testing.T) {
	t.Helper()
	end, cancel := context.WithTimeout(t.Context(), endsWithin)
	defer cancel()
	if err := l.Wait(end); err != nil {
		t.Fatalf("%s: the end: %v", l.name, err)
	}
	l.seen.end()
}

type lives []*life

func (all lives) each(act func(*life) error) error {
	for _, l := range all {
		if act == nil {
			continue
		}
		if err := act(l); err != nil {
			return err
		}
	}
	return nil
}

// export returns what says whether each has exported something from now on.
func (all lives) export() func() bool {
	before := map[*life]uint64{}
	for _, l := range all {
		before[l] = l.seen.exported()
	}
	return func() bool {
		for l, n := range before {
			if l.seen.exported() == n {
				return false
			}
		}
		return true
	}
}
