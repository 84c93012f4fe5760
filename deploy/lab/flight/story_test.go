package flight

import (
	"os"
	"path/filepath"
	"testing"
	"time"

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
	longWait  = 20 * time.Millisecond
)

// story is the demo's scene, seen by the probes and by JFR at the same time.
type story struct {
	trial.Session
	file, stripped, waits string
}

func record(t *testing.T) *story {
	t.Helper()
	trial.NeedRoot(t)
	s := &story{Session: trial.Begin(t)}
	option, err := Record(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	c := scene.Story()
	c.JVM = append(c.JVM, option)
	set := s.Set(t, c)
	if err := set.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s.file, s.stripped, s.waits = filepath.Join(dir, "story.pcapng"), filepath.Join(dir, "stripped.pcapng"), filepath.Join(dir, "waits.json")
	ts := s.Watch(t, "tailspan", []string{trial.NoExport}, nil, []*kafka.Broker{set.Broker}, "--record", s.file)
	time.Sleep(recordFor)
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	trial.Stop(t, ts)
	jfr := filepath.Join(dir, "waits.jfr")
	if err := Dump(t.Context(), set.Kafka.Java, set.Broker.PID(), jfr); err != nil {
		t.Fatal(err)
	}
	if err := set.StopLoad(); err != nil {
		t.Fatal(err)
	}
	if err := Print(t.Context(), set.Kafka.Java, jfr, s.waits); err != nil {
		t.Fatal(err)
	}
	if err := Strip(s.file, s.stripped); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("LAB_KEEP"); dir != "" { // for a look at what did not agree
		if err := os.CopyFS(dir, os.DirFS(filepath.Dir(s.file))); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// replay prints a kind of rows of the recording as it is (name "probes"), or of
// the one without monitor records, with the waits of JFR (name "jfr").
func replay[T any](t *testing.T, s *story, name, kind string, flags ...string) []T {
	t.Helper()
	file := s.file
	if name == "jfr" {
		file, flags = s.stripped, append(flags, "--waits", s.waits)
	}
	rows, err := tailspan.Replay[T](t.Context(), s.Bin, filepath.Join(s.Dir, name+"-"+kind+".log"), file, kind, flags...)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestStoryByJFR records the story with the probes and with JFR, and replays it
// twice: as it is, and without what the monitor probes saw but with the waits of
// JFR. Each wait must be there, at its time, and each slow request must have the
// same cause.
func TestStoryByJFR(t *testing.T) {
	s := record(t)
	usdt, jfr := replay[assemble.WaitRow](t, s, "probes", "waits"), replay[assemble.WaitRow](t, s, "jfr", "waits")
	p := pair(usdt, jfr)
	p.log(t)
	if lone := len(p.onlyUSDT) + len(p.onlyJFR); len(p.both) == 0 || float64(lone) > 0.001*float64(len(p.both)) {
		t.Errorf("%d waits were seen by both, %d by one", len(p.both), lone)
	}
	if m := median(p.both, couple.duration); m.Abs() > 20*time.Microsecond {
		t.Errorf("half of the waits differ by more than %v", m)
	}
	if long, agree := p.holders(longWait); long == 0 || float64(agree) < 0.95*float64(long) {
		t.Errorf("of %d waits over %v, %d have the same holder", long, longWait, agree)
	}
	requests := func(name string) []assemble.RequestRow {
		return replay[assemble.RequestRow](t, s, name, "requests", "--threshold", slow.String())
	}
	compareCauses(t, requests("probes"), requests("jfr"))
}
