package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/slowdisk"
)

// Plan is what is measured. What was measured by another plan is not mixed with it.
type Plan struct {
	Settings []Setting
	Rounds   int
	WarmUp   time.Duration // under load, before the recording
	For      time.Duration // of each recording
	Schedule slowdisk.Schedule
	Kafka    string // its version
	Machine  string
	Tailspan string // its version
}

// Step is one measurement.
type Step struct {
	Round   int // from 1
	Setting Setting
}

func (s Step) name() string { return fmt.Sprintf("%02d-%s", s.Round, s.Setting.Name) }

// Steps are in the order of measuring: each round begins with another setting, so
// that none is always the first.
func (p *Plan) Steps() (all []Step) {
	for r := range p.Rounds {
		for i := range p.Settings {
			all = append(all, Step{r + 1, p.Settings[(i+r)%len(p.Settings)]})
		}
	}
	return all
}

// Measured is what a measurement leaves beside its recording.
type Measured struct {
	Step
	At      time.Time
	Journal Journal // what it did during the recording
	Load    float64 // of the machine in the minute before the end
	Bytes   int64   // of the recording
}

// State is a directory of measurements.
type State struct {
	dir  string
	plan *Plan
}

// ErrOtherPlan says that a directory holds measurements of something else.
var ErrOtherPlan = errors.New("holds the measurements of another plan: -fresh begins anew, or name another -dir")

const (
	planFile = "plan.json"
	pageFile = "comparison.html"
)

// Open takes a directory for a plan: an empty one, or one with measurements of that
// very plan.
func Open(dir string, p *Plan) (*State, error) {
	dir, err := filepath.Abs(dir) // a file's name has a slash before it, and so none of a recording's "="
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	want, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, planFile)
	switch was, err := os.ReadFile(file); {
	case errors.Is(err, fs.ErrNotExist):
		return &State{dir, p}, os.WriteFile(file, want, 0o644)
	case err != nil:
		return nil, err
	case string(was) != string(want):
		return nil, fmt.Errorf("%s %w", dir, ErrOtherPlan)
	}
	return &State{dir, p}, nil
}

// Done is what is there of a step; nil: it is still to be measured.
func (s *State) Done(x Step) (*Measured, error) {
	b, err := os.ReadFile(s.facts(x))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m := &Measured{}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", s.facts(x), err)
	}
	return m, nil
}

// keep writes the facts, after which a step is done.
func (s *State) keep(m *Measured) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	part := s.facts(m.Step) + ".part"
	if err := os.WriteFile(part, b, 0o644); err != nil {
		return err
	}
	return os.Rename(part, s.facts(m.Step))
}

func (s *State) facts(x Step) string     { return filepath.Join(s.dir, x.name()+".json") }
func (s *State) recording(x Step) string { return filepath.Join(s.dir, x.name()+".pcapng") }

// Page is where the comparison goes.
func (s *State) Page() string { return filepath.Join(s.dir, pageFile) }

// all are the measurements of a plan that was carried out, by setting.
func (s *State) all() (all []*Measured, err error) {
	for _, x := range s.plan.Steps() {
		m, err := s.Done(x)
		if err != nil {
			return nil, err
		}
		if m == nil {
			return nil, fmt.Errorf("round %d of %s is not measured", x.Round, x.Setting.Name)
		}
		all = append(all, m)
	}
	order := func(m *Measured) int {
		return slices.IndexFunc(s.plan.Settings, func(x Setting) bool { return x.Name == m.Setting.Name })
	}
	slices.SortStableFunc(all, func(a, b *Measured) int { return order(a) - order(b) })
	return all, nil
}

// ours are the names of what a Run leaves in a directory, beside the plan and the
// page.
var ours = regexp.MustCompile(`^[0-9]{2,}-.+\.(json|pcapng)(\.part)?$`)

// Fresh removes what Open and a Run have left in a directory, and nothing else.
func Fresh(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, planFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if name := f.Name(); name == planFile || name == pageFile || ours.MatchString(name) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, name)))
		}
	}
	return err
}
