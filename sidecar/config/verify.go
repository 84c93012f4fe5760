package config

import (
	"errors"
	"flag"
	"fmt"
	"strings"
)

// logDirs takes --log-dir as often as there are log dirs, or several of them
// as Kafka's log.dirs has them: separated by commas.
func logDirs(f *flag.FlagSet, c *Config) {
	f.Func("log-dir", "a log `dir` of the broker; give it once for each of log.dirs", func(v string) error {
		for dir := range strings.SplitSeq(v, ",") {
			if dir = strings.TrimSpace(dir); dir == "" {
				return errors.New("a directory's name is empty")
			}
			c.LogDirs = append(c.LogDirs, dir)
		}
		return nil
	})
}

func needsLogDirs(c *Config) error {
	switch {
	case len(c.Args) == 0:
		return errors.New("name a recording to verify")
	case len(c.Args) > 1:
		return fmt.Errorf("unexpected argument %q: one recording at a time", c.Args[1])
	case len(c.LogDirs) == 0:
		return errors.New("--log-dir DIR is missing: one of the broker's log.dirs")
	}
	return nil
}
