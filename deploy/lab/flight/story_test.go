package flight

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/jfr"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
	waits "github.com/tailspan/tailspan/sidecar/jfr"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

const (
	recordFor = 15 * time.Second
	slow      = 65 * time.Millisecond
)

// story is the demo's scene, seen by the probes and by another at the same time.
type story struct {
	trial.Session
	file, stripped string // recordings
	jfr, waits     string // of the other: its file, and what is printed of that
}

// other sees waits too.
type other struct {
	options []string                         // of the JVM
	middle  func(context.Context, int) error // what is done half-way
	save    func(context.Context, int) error // what it saw of the process, into file
	file    string                           // a JFR file
}

func record(t *testing.T, with func(t *testing.T, dir string) other) *story {
	t.Helper()
	trial.NeedRoot(t)
	dir := t.TempDir()
	s := &story{trial.Begin(t), filepath.Join(dir, "story.pcapng"), filepath.Join(dir, "stripped.pcapng"), "", filepath.Join(dir, "waits.json")}
	o := with(t, dir)
	s.jfr = o.file
	c := scene.Story()
	c.JVM = append(c.JVM, o.options...)
	set := s.Set(t, c)
	if err := set.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ts := s.Watch(t, "tailspan", []string{trial.NoExport}, nil, []*kafka.Broker{set.Broker}, "--record", s.file)
	time.Sleep(recordFor / 2)
	if err := o.middle(t.Context(), set.Broker.PID()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(recordFor / 2)
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	if err := errors.Join(o.save(t.Context(), set.Broker.PID()), set.StopLoad()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Print(t.Context(), o.file, s.waits), Strip(s.file, s.stripped)); err != nil {
		t.Fatal(err)
	}
	if keep := os.Getenv("LAB_KEEP"); keep != "" { // for a look at what did not agree
		if err := os.CopyFS(keep, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func flightRecorder(t *testing.T, dir string) other {
	t.Helper()
	options, err := jfr.Options(filepath.Join(dir, "whole.jfr"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "waits.jfr")
	dump := func(file string) func(context.Context, int) error {
		return func(ctx context.Context, pid int) error { return Dump(ctx, pid, file) }
	}
	// A dump begins a new chunk.
	return other{options, dump(filepath.Join(dir, "half.jfr")), dump(file), file}
}

// unaligned are the waits with the times that JFR gave them.
func unaligned(t *testing.T, s *story) (all []assemble.WaitRow) {
	t.Helper()
	f, err := os.Open(s.waits)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := waits.Read(f, func(w *waits.Wait) error {
		all = append(all, assemble.WaitRow{Start: w.Start, End: w.End, Latency: w.End - w.Start,
			TID: int32(w.Thread.OSID), Monitor: fmt.Sprintf("%#x", w.Address)})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func profiler(t *testing.T, dir string) other {
	t.Helper()
	cached, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	p, err := InstallProfiler(t.Context(), cached, trial.Progress(t))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "waits.jfr")
	return other{[]string{p.Record(file)}, func(context.Context, int) error { return nil }, p.Stop, file}
}

// replay prints a kind of rows of the recording as it is, or of the one without
// monitor records, with the other's waits.
func replay[T any](t *testing.T, s *story, stripped bool, kind string, flags ...string) []T {
	t.Helper()
	file, log := s.file, "replay-"+kind+".log"
	if stripped {
		file, log, flags = s.stripped, "stripped-"+kind+".log", append(flags, "--waits", s.waits)
	}
	rows, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, log), file, kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// both are the rows of a kind as the probes have it, and as the other has it.
func both[T any](t *testing.T, s *story, kind string, flags ...string) (probes, other []T) {
	t.Helper()
	return replay[T](t, s, false, kind, flags...), replay[T](t, s, true, kind, flags...)
}

// atBorder is how many waits may be by the clock of the wrong side where JFR's is
// taken anew, which no file says: those of threads of which no sleep is seen (the
// network threads), between two that have one. There were none to two.
const atBorder = 4

// TestStoryByJFR records the story with the probes and with JFR, by the clock that
// HotSpot takes on this machine, and replays it twice: as it is, and without what
// the monitor probes saw but with the waits of JFR. Each wait must be there, at its
// time, and slow requests must have the same causes.
func TestStoryByJFR(t *testing.T) {
	s := record(t, flightRecorder)
	probes, other := both[assemble.WaitRow](t, s, "waits")
	stamped := pair(probes, unaligned(t, s), true)
	t.Logf("as JFR stamps them: %s", stamped.near())
	p := pair(probes, other, true)
	p.check(t, 0)
	others := p.checkHolders(t)
	c := compare(both[assemble.RequestRow](t, s, "requests", "--threshold", slow.String()))
	c.check(t)
	c.checkRoots(t, others)

	if err := PrintAnew(t.Context(), s.jfr, s.waits); err != nil {
		t.Fatal(err)
	}
	stamped = pair(probes, unaligned(t, s), true)
	t.Logf("with the clock taken anew half-way: %s", stamped.near())
	p = pair(probes, replay[assemble.WaitRow](t, s, true, "waits"), true)
	p.check(t, atBorder)
}

// TestStoryByProfiler does the same with async-profiler, which has no holders, but
// the recording's clock, and so it is found.
func TestStoryByProfiler(t *testing.T) {
	s := record(t, profiler)
	probes, other := both[assemble.WaitRow](t, s, "waits")
	p := pair(probes, other, false)
	p.check(t, 0)
	said, err := os.ReadFile(filepath.Join(s.Dir, "stripped-waits.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(said), "JFR's clock is the recording's") {
		t.Errorf("its clock was not found to be the recording's: %s", said)
	}
	c := compare(both[assemble.RequestRow](t, s, "requests", "--threshold", slow.String()))
	c.check(t)
}
