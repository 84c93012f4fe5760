package config

import (
	"errors"
	"flag"
)

// waits are flags of replay.
func waits(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Waits, "waits", "", "take lock waits from this `file`, which 'jfr print --json' made of a JFR recording of the same time")
	f.IntVar(&c.PID, "pid", 0, "process `id` of the broker that --waits is of, where the recording has several")
}

func needsFiles(c *Config) error {
	if len(c.Args) == 0 {
		return errors.New("name a recording or a packet capture to replay")
	}
	return nil
}
