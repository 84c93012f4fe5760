package config

import (
	"flag"
	"strings"
)

// The values of --parks.
const (
	ParksKernel = "kernel" // by the scheduler's events
	ParksUSDT   = "usdt"   // by HotSpot's probes, which fire in every thread, in the idle ones too
	ParksOff    = "off"
)

var parkWays = []string{ParksKernel, ParksUSDT, ParksOff}

func parks(f *flag.FlagSet, c *Config) {
	f.StringVar(&c.Parks, "parks", ParksKernel, "how to see what handlers wait for in the request queue and at locks of java.util.concurrent: "+strings.Join(parkWays, "|"))
}
