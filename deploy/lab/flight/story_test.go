package flight

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/cache"
	"github.com/tailspan/tailspan/deploy/lab/kafka"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/deploy/lab/trial"
	"github.com/tailspan/tailspan/sidecar/assemble"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

const (
	recordFor = 25 * time.Second
	slow      = 65 * time.Millisecond
)

// story is the demo's scene, seen by the probes, by JFR and by async-profiler at
// the same time.
type story struct {
	trial.Session
	dir, file, stripped string
}

// others are those that saw the waits too; each has a file of them.
var others = []string{"jfr", "async-profiler"}

func (s *story) waits(by string) string { return filepath.Join(s.dir, by+".json") }

func record(t *testing.T) *story {
	t.Helper()
	trial.NeedRoot(t)
	s := &story{Session: trial.Begin(t), dir: t.TempDir()}
	s.file, s.stripped = filepath.Join(s.dir, "story.pcapng"), filepath.Join(s.dir, "stripped.pcapng")
	profiled := filepath.Join(s.dir, "async-profiler.jfr")
	p := profiler(t)
	option, err := Record(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	c := scene.Story()
	c.JVM = append(c.JVM, option, p.Record(profiled))
	set := s.Set(t, c)
	if err := set.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ts := s.Watch(t, "tailspan", []string{trial.NoExport}, nil, []*kafka.Broker{set.Broker}, "--record", s.file)
	time.Sleep(recordFor)
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	recorded := filepath.Join(s.dir, "jfr.jfr")
	java, pid := set.Kafka.Java, set.Broker.PID()
	if err := errors.Join(Dump(t.Context(), java, pid, recorded), p.Stop(t.Context(), java, pid), set.StopLoad()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(Print(t.Context(), java, recorded, s.waits("jfr")), Print(t.Context(), java, profiled, s.waits("async-profiler")),
		Strip(s.file, s.stripped)); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("LAB_KEEP"); dir != "" { // for a look at what did not agree
		if err := os.CopyFS(dir, os.DirFS(s.dir)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func profiler(t *testing.T) *Profiler {
	t.Helper()
	dir, err := cache.Dir()
	if err != nil {
		t.Fatal(err)
	}
	p, err := InstallProfiler(t.Context(), dir, trial.Progress(t))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// replay prints a kind of rows of the recording as it is, or, by another, of the
// one without monitor records, with that one's waits.
func replay[T any](t *testing.T, s *story, by, kind string, flags ...string) []T {
	t.Helper()
	file := s.file
	if by != "" {
		file, flags = s.stripped, append(flags, "--waits", s.waits(by))
	}
	rows, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, "replay-"+by+"-"+kind+".log"), file, kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestStoryByOthers records the story with the probes and others, and replays
// it as it is, and without what the monitor probes saw but with the waits of
// each of the others. Each wait must be there, at its time, and each slow
// request must have the same cause.
func TestStoryByOthers(t *testing.T) {
	s := record(t)
	waits := replay[assemble.WaitRow](t, s, "", "waits")
	requests := replay[assemble.RequestRow](t, s, "", "requests", "--threshold", slow.String())
	for _, by := range others {
		t.Run(by, func(t *testing.T) {
			p := pair(waits, replay[assemble.WaitRow](t, s, by, "waits"), by == "jfr")
			p.check(t)
			c := compare(requests, replay[assemble.RequestRow](t, s, by, "requests", "--threshold", slow.String()))
			c.check(t)
			if by == "jfr" { // async-profiler names no holder
				p.checkHolders(t)
				c.checkRoots(t)
			}
		})
	}
}
