package sidecar

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/tailspan/tailspan/sidecar/report/page"
)

// Compare replays recordings of one load under different settings, prints what
// they have of it beside one another, and writes a page, if one is asked for.
// Several recordings of one name are taken together. ErrNothing is wrapped where
// one has nothing to compare.
func Compare(ctx context.Context, o Options) error {
	var names []string
	collectors := map[string]*page.Collector{}
	for _, r := range o.Config.Recordings() {
		c := collectors[r.Name]
		if c == nil {
			c = page.New(page.Options{SLO: o.Config.SLO, Objective: o.Config.Objective(), Brief: true, Relative: true})
			collectors[r.Name], names = c, append(names, r.Name)
		}
		if err := collect(ctx, o, c, filepath.Base(r.File), r.File); err != nil {
			return err
		}
	}
	all := make([]*page.Collector, len(names))
	for i, name := range names {
		if all[i] = collectors[name]; all[i].Empty() {
			return fmt.Errorf("%w: %s has no produce request; is --port the broker's?", ErrNothing, name)
		}
	}
	o.Progress.Now("comparing")
	c := page.Compare(o.Version, names, all)
	if o.Config.Page != "" {
		if err := writeWhole(o.Config.Page, c.Write); err != nil {
			return err
		}
	}
	o.Progress.End()
	if o.Config.Format == "json" {
		e := json.NewEncoder(o.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(c.Figures())
	}
	return c.WriteTable(o.Stdout)
}
