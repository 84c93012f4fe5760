package sidecar

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tailspan/tailspan/sidecar/assemble"
	"github.com/tailspan/tailspan/sidecar/capture"
	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

// Report replays the recordings of the configuration into one page. What there
// was of a recording that breaks off is in it, with a word about that. ErrNothing
// is wrapped where there is nothing to show; then no page is written.
func Report(ctx context.Context, o Options) error {
	c := newPage(&o.Config, false)
	for _, file := range o.Config.Args {
		if err := collect(ctx, o, c, filepath.Base(file), file); err != nil {
			return err
		}
	}
	if c.Empty() {
		return fmt.Errorf("%w: %v has no produce request, write or commit; is --port the broker's?", ErrNothing, o.Config.Args)
	}
	write := func(w io.Writer) error { return c.WritePage(w, o.Version) }
	o.Progress.Now("writing " + o.Config.Page)
	if o.Config.Page == "-" {
		o.Progress.End()
		return write(o.Stdout)
	}
	return writeWhole(o.Config.Page, write)
}

// newPage is a page without a source. A small one may go on for as long as it likes.
func newPage(o *config.Config, small bool) *page.Collector {
	c := page.New(page.Options{SLO: o.SLO, Objective: o.Objective(), Small: small})
	if len(o.TopicSLOs) > 0 {
		c.Notice("Some topics have an objective of their own (--topic-slo); what is slow is slow by its own topic's.")
	}
	return c
}

// collect replays one recording into a Collector.
func collect(ctx context.Context, o Options, c *page.Collector, name, file string) error {
	o.Config.Format = "table"
	// Nothing is printed, for the Collector takes everything in place of the
	// printer; but what traces show is read.
	o.Config.Print = "traces"
	if !c.KeepsTraces() {
		o.Config.Print = "none"
	}
	s, err := New(o)
	if err != nil {
		return err
	}
	s.assembler = assemble.New(assemble.Options{Clock: s.clock, Identity: s.identity, Output: c, Rows: c.Rows(), ReadHeaders: s.readHeaders,
		AdoptParent: s.config.AdoptParent})
	c.Begin(name)
	err = s.Replay(ctx, file)
	switch {
	case err == nil && ctx.Err() != nil:
		return fmt.Errorf("replay %s: stopped before its end: %w", file, ctx.Err())
	case (errors.Is(err, capture.ErrTruncated) || errors.Is(err, capture.ErrFormat)) && !c.Empty():
		o.Logger.Warn("the recording breaks off; what there is of it is shown", "file", file, "error", err)
		c.Notice(name + " breaks off: what was recorded after that is missing.")
	case err != nil:
		return err
	}
	c.Lost(s.lost())
	return nil
}

// writeWhole writes a file of which nobody ever sees a part.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
