package config

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// objectives are the flags that say what is slow.
func objectives(f *flag.FlagSet, c *Config) {
	f.DurationVar(&c.SLO, "slo", 65*time.Millisecond, "what takes as long or longer is slow")
	topicSLO(f, c)
}

// pageTo is where the page of report goes.
func pageTo(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Page, "o", "report.html", "write the page to this `file`; - is the standard output")
}

// compareTo is where compare's results go.
func compareTo(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Page, "o", "", "write a page to this `file` as well")
	f.StringVar(&c.Format, "format", "table", "table|json")
}

// Recording is a file with the name that it goes by.
type Recording struct{ Name, File string }

// Recordings are the arguments of compare, NAME=FILE or FILE. Several of one name
// are rounds of one thing.
func (c *Config) Recordings() (all []Recording) {
	for _, arg := range c.Args {
		before := arg // the file's directory: both a name (data=ordered) and a path may have an =
		if i := strings.IndexRune(arg, filepath.Separator); i >= 0 {
			before = arg[:i]
		}
		if i := strings.LastIndexByte(before, '='); i >= 0 {
			all = append(all, Recording{arg[:i], arg[i+1:]})
		} else {
			all = append(all, Recording{strings.TrimSuffix(filepath.Base(arg), filepath.Ext(arg)), arg})
		}
	}
	return all
}

// maxCompared is as many as can be told apart in the pictures of a page.
const maxCompared = 12

func needsRecordings(c *Config) error {
	switch {
	case len(c.Args) == 0:
		return errors.New("name a recording or a packet capture to report on")
	case c.Page == "":
		return errors.New("-o FILE is empty")
	}
	return c.needsObjective()
}

func needsSeveral(c *Config) error {
	names := map[string]bool{}
	for _, r := range c.Recordings() {
		if r.Name == "" || r.File == "" {
			return errors.New("want NAME=FILE, or FILE: one of both is empty")
		}
		names[r.Name] = true
	}
	switch {
	case len(names) < 2:
		return errors.New("name two recordings or more to compare, as FILE or NAME=FILE; those of one name are taken together")
	case len(names) > maxCompared && c.Page != "":
		return fmt.Errorf("%d names are more than %d, which a page can show: leave -o out", len(names), maxCompared)
	case c.Page == "-":
		return errors.New("-o takes a file: the standard output is the table's")
	}
	return c.needsObjective()
}

func (c *Config) needsObjective() error {
	if c.SLO <= 0 {
		return errors.New("--slo: what is slow must take some time")
	}
	return nil
}
