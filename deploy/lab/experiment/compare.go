package experiment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/child"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

// slo is the blog post's.
const slo = 65 * time.Millisecond

// Result is what was found.
type Result struct {
	Plan     Plan
	Settings []page.Compared   // all rounds of each together, as in the plan
	Rounds   [][]page.Compared // each round of each
	Measured [][]*Measured     // likewise
}

// Compare compares what was measured, and writes the page.
func (s *State) Compare(ctx context.Context, bin string) (*Result, error) {
	all, err := s.all()
	if err != nil {
		return nil, err
	}
	r := &Result{Plan: *s.plan, Rounds: make([][]page.Compared, len(s.plan.Settings)), Measured: make([][]*Measured, len(s.plan.Settings))}
	var together, apart []string
	for _, m := range all {
		file := s.recording(m.Step)
		together, apart = append(together, m.Setting.Name+"="+file), append(apart, m.name()+"="+file)
	}
	if r.Settings, err = compare(ctx, bin, append(together, "-o", s.Page())); err != nil {
		return nil, err
	}
	each, err := compare(ctx, bin, apart)
	if err != nil {
		return nil, err
	}
	for i, m := range all {
		at := i / s.plan.Rounds
		r.Rounds[at], r.Measured[at] = append(r.Rounds[at], each[i]), append(r.Measured[at], m)
	}
	return r, nil
}

// compare is tailspan compare.
func compare(ctx context.Context, bin string, args []string) ([]page.Compared, error) {
	cmd := child.Guard(exec.CommandContext(ctx, bin, append([]string{"compare", "--format", "json", "--slo", slo.String(), "--log-level", "warn"}, args...)...))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("tailspan compare: %w", err)
	}
	var c page.Comparison
	if err := json.Unmarshal(out, &c); err != nil {
		return nil, fmt.Errorf("tailspan compare: %w", err)
	}
	return c.Recordings, nil
}
