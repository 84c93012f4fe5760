package experiment

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
	"github.com/tailspan/tailspan/deploy/lab/trial"
)

func TestMain(m *testing.M) {
	slowdisk.Main()
	trial.Main(m)
}

func aPlan() *Plan {
	return &Plan{Settings: Settings, Rounds: 3, For: time.Second, Tailspan: "1"}
}

// Each setting is measured once a round, and has another place in each.
func TestSteps(t *testing.T) {
	steps := aPlan().Steps()
	if len(steps) != 18 {
		t.Fatalf("%d steps", len(steps))
	}
	names := map[string]bool{}
	for i, x := range steps {
		names[x.name()] = true
		if x.Round != i/6+1 {
			t.Errorf("step %d is of round %d", i, x.Round)
		}
	}
	if len(names) != 18 || steps[0].Setting.Name == steps[6].Setting.Name || steps[6].Setting.Name == steps[12].Setting.Name {
		t.Errorf("%v", names)
	}
}

// What is measured stays so, for the same plan only.
func TestState(t *testing.T) {
	dir, p := filepath.Join(t.TempDir(), "state"), aPlan()
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	step := p.Steps()[7]
	if m, err := s.Done(step); m != nil || err != nil {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := s.keep(&Measured{Step: step, Journal: Journal{3, 2}, Bytes: 5}); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir, aPlan()); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Done(step); err != nil || m == nil || m.name() != step.name() || m.Journal != (Journal{3, 2}) {
		t.Errorf("%+v, %v", m, err)
	}
	if _, err := s.all(); err == nil || !strings.Contains(err.Error(), "is not measured") {
		t.Errorf("a part is taken for all: %v", err)
	}
	other := aPlan()
	other.Tailspan = "2"
	if _, err := Open(dir, other); !errors.Is(err, ErrOtherPlan) {
		t.Errorf("another plan: %v", err)
	}
	touch := func(name string) { _ = os.WriteFile(filepath.Join(dir, name), nil, 0o644) }
	touch("incident.pcapng")
	touch("01-xfs.pcapng.part")
	for range 2 { // in a directory without a plan, too
		if err := Fresh(dir); err != nil {
			t.Fatal(err)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 || files[0].Name() != "incident.pcapng" {
			t.Errorf("%v are left", files)
		}
	}
	if _, err := Open(dir, other); err != nil {
		t.Error(err)
	}
}

func TestWanted(t *testing.T) {
	for data, want := range map[string][]string{"": {"data=ordered", "commit=5"}, "commit=1": {"data=ordered", "commit=1"}, "data=writeback": {"data=writeback", "commit=5"}} {
		if got := wanted(slowdisk.Format{Data: data}); !slices.Equal(got, want) {
			t.Errorf("%q: %v", data, got)
		}
	}
}

// TestExperiment measures two settings for some seconds: it is stopped after the
// first one, and goes on with the second.
func TestExperiment(t *testing.T) {
	trial.NeedRoot(t)
	if _, err := exec.LookPath("mkfs.xfs"); err != nil {
		t.Skip(err)
	}
	session := trial.Begin(t)
	stage := bench.Stage{Bin: session.Bin, Output: session.Dir}
	p := &Plan{Settings: []Setting{Settings[4], Settings[5]}, Rounds: 1, WarmUp: 2 * time.Second, For: 4 * time.Second, Schedule: slowdisk.Story}
	dir := filepath.Join(session.Dir, "state")
	s, err := Open(dir, p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	if err := s.Run(ctx, stage, &said{of: "xfs", then: stop}); err == nil || !strings.Contains(err.Error(), "goes on") {
		t.Fatalf("stopped in the second: %v", err)
	}
	first, err := s.Done(p.Steps()[0])
	if err != nil || first == nil || first.Journal.FastCommits == 0 {
		t.Fatalf("%+v, %v", first, err)
	}
	if s, err = Open(dir, p); err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context(), stage, t.Output()); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Done(p.Steps()[0]); err != nil || !again.At.Equal(first.At) {
		t.Errorf("%+v was measured twice: %v", again, err)
	}
	r, err := s.Compare(t.Context(), session.Bin)
	if err != nil {
		t.Fatal(err)
	}
	text := r.Markdown()
	t.Log(text)
	for i, want := range []string{"fast_commit", "xfs"} {
		if x := r.Settings[i]; x.Name != want || x.Latency.Count < 100 || x.Slow.Count == 0 || !strings.Contains(text, "| "+want+" |") {
			t.Errorf("%s: %d requests, %d slow", x.Name, x.Latency.Count, x.Slow.Count)
		}
	}
	if page, err := os.ReadFile(s.Page()); err != nil || !strings.Contains(string(page), "fast_commit") {
		t.Errorf("a page of %d bytes: %v", len(page), err)
	}
}

// said does something once a text is written.
type said struct {
	of   string
	then func()
}

func (s *said) Write(b []byte) (int, error) {
	if strings.Contains(string(b), s.of) {
		s.then()
	}
	return len(b), nil
}
