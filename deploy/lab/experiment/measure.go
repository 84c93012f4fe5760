package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tailspan/tailspan/deploy/lab/bench"
	"github.com/tailspan/tailspan/deploy/lab/scene"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
)

// attach is how long tailspan may take until it records.
const attach = 30 * time.Second

// Run measures what is not measured yet, and says how far it is. Where ctx ends,
// what is done is kept.
func (s *State) Run(ctx context.Context, stage bench.Stage, progress io.Writer) error {
	var todo []Step
	for _, x := range s.plan.Steps() {
		done, err := s.Done(x)
		if err != nil {
			return err
		}
		if done == nil {
			todo = append(todo, x)
		}
	}
	all := len(s.plan.Steps())
	if len(todo) < all {
		fmt.Fprintf(progress, "%d of %d measurements are there\n", all-len(todo), all)
	}
	began := time.Now()
	for i, x := range todo {
		fmt.Fprintf(progress, "%2d of %d  round %d  %-11s  %s\n", all-len(todo)+i+1, all, x.Round, x.Setting.Name, left(began, i, len(todo)))
		err := s.measure(ctx, stage, x)
		if ctx.Err() != nil {
			return errors.New("stopped; the same command goes on from here")
		}
		if err != nil {
			return fmt.Errorf("round %d of %s: %w", x.Round, x.Setting.Name, err)
		}
	}
	return nil
}

// left says how long the rest will take, once something was measured.
func left(began time.Time, done, of int) string {
	if done == 0 {
		return ""
	}
	t := time.Since(began) / time.Duration(done) * time.Duration(of-done)
	return fmt.Sprintf("%d min left", int(t.Round(time.Minute).Minutes()))
}

// measure is one step, on a disk and with a broker of its own.
func (s *State) measure(ctx context.Context, stage bench.Stage, x Step) (err error) {
	c := scene.Story()
	c.Format, c.Schedule, c.Output = x.Setting.Format, s.plan.Schedule, stage.Output
	set, err := scene.New(ctx, c, io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, set.Close()) }()
	if err := inEffect(ctx, set.Disk, c.Format); err != nil {
		return err
	}
	if err := set.Start(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, s.plan.WarmUp); err != nil {
		return err
	}
	m := &Measured{Step: x, At: time.Now()}
	if err := s.record(ctx, stage, set, m); err != nil {
		return err
	}
	if m.Load, err = load(); err != nil {
		return err
	}
	return s.keep(m)
}

// record takes the recording, and what the journal did meanwhile.
func (s *State) record(ctx context.Context, stage bench.Stage, set *scene.Scene, m *Measured) (err error) {
	part := s.recording(m.Step) + ".part"
	ts, err := tailspan.Start(stage.Bin, filepath.Join(stage.Output, "tailspan.log"), nil, nil, "record", "-o", part, "--pid", fmt.Sprint(set.Broker.PID()))
	if err != nil {
		return err
	}
	defer os.Remove(part)
	defer ts.Process.Stop(unix.SIGKILL, time.Second)
	tracing := func() bool {
		out, _ := ts.Output()
		return strings.Contains(out, "tracing broker")
	}
	if err := ts.Until(ctx, attach, tracing); err != nil {
		return err
	}
	before, err := journal(set.Disk, set.Format)
	if err != nil {
		return err
	}
	if err := sleep(ctx, s.plan.For); err != nil {
		return err
	}
	after, err := journal(set.Disk, set.Format)
	if err := errors.Join(err, set.Check(), ts.Stop()); err != nil {
		return err
	}
	m.Journal = after.minus(before)
	f, err := os.Stat(part)
	if err != nil {
		return err
	}
	m.Bytes = f.Size()
	return os.Rename(part, s.recording(m.Step))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load is the machine's, of the last minute.
func load() (one float64, err error) {
	b, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, err = fmt.Sscan(string(b), &one)
	}
	return one, err
}
