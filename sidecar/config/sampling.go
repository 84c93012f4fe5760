package config

import (
	"errors"
	"flag"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tailspan/tailspan/spans"
)

// TopicSLO is the objective of the topics that a pattern matches.
type TopicSLO struct {
	Pattern string // as path.Match takes it: orders.*
	SLO     time.Duration
}

// maxObjectives bounds the topics of which an objective is remembered.
const maxObjectives = 1 << 12

// Objective returns what says a topic's objective: that of the first pattern
// that matches it, else --slo. It is for one goroutine.
func (c *Config) Objective() func(topic string) time.Duration {
	all, rest := c.TopicSLOs, c.SLO
	if len(all) == 0 {
		return func(string) time.Duration { return rest }
	}
	known := map[string]time.Duration{}
	return func(topic string) time.Duration {
		d, ok := known[topic]
		if !ok {
			d = rest
			if i := slices.IndexFunc(all, func(t TopicSLO) bool { return t.matches(topic) }); i >= 0 {
				d = all[i].SLO
			}
			if len(known) >= maxObjectives {
				clear(known)
			}
			known[topic] = d
		}
		return d
	}
}

func (t *TopicSLO) matches(topic string) bool {
	ok, err := path.Match(t.Pattern, topic)
	return ok && err == nil
}

// sampling are the flags that say which traces are exported.
func sampling(f *flag.FlagSet, c *Config) {
	f.DurationVar(&c.SLO, "slo", 65*time.Millisecond, "export requests slower than this; 0 exports all")
	topicSLO(f, c)
	f.BoolVar(&c.KeepErrors, "keep-errors", true, "export requests that failed, however fast")
	f.Func("keep-causes", "export requests with this `cause,…` or root cause, however fast", c.addCauses)
	f.IntVar(&c.KeepSlowest, "keep-slowest", 3, "export this many of the slowest requests of each 10 s, however fast")
	f.Float64Var(&c.KeepShare, "keep-share", 0, "export this share of all other requests: 0.001 is one of a thousand")
	f.IntVar(&c.MaxSpansRate, "max-spans-rate", 10000, "export about this many spans a second at most, with a fair share a topic; 0: no limit, nor with --slo 0")
	f.BoolVar(&c.AdoptParent, "adopt-parent", false, "make a request part of its producer's trace, where all its records are of one sampled trace")
}

func topicSLO(f *flag.FlagSet, c *Config) {
	f.Func("topic-slo", "another --slo for topics, as `PATTERN=DURATION,…`: payments.*=20ms; the first that matches counts", c.addTopicSLOs)
}

func (c *Config) addTopicSLOs(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		pattern, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		d, err := time.ParseDuration(value)
		if _, bad := path.Match(pattern, ""); !ok || pattern == "" || err != nil || bad != nil || d < 0 {
			return fmt.Errorf("%q: want PATTERN=DURATION, as in payments.*=20ms", item)
		}
		c.TopicSLOs = append(c.TopicSLOs, TopicSLO{pattern, d})
	}
	return nil
}

func (c *Config) addCauses(text string) error {
	for item := range strings.SplitSeq(text, ",") {
		cause := spans.Cause(strings.TrimSpace(item))
		if !slices.Contains(spans.Causes, cause) {
			return fmt.Errorf("%q: want some of %v", item, spans.Causes)
		}
		c.KeepCauses = append(c.KeepCauses, cause)
	}
	return nil
}

func (c *Config) validateSampling() error {
	switch {
	case c.SLO < 0:
		return errors.New("--slo is not negative")
	case c.KeepSlowest < 0 || c.KeepSlowest > maxSlowest:
		return fmt.Errorf("--keep-slowest %d: want 0 to %d", c.KeepSlowest, maxSlowest)
	case !(c.KeepShare >= 0 && c.KeepShare <= 1): // a NaN is neither
		return fmt.Errorf("--keep-share %v: want 0 to 1", c.KeepShare)
	case c.AdoptParent && !c.TraceContext:
		return errors.New("--adopt-parent takes the producers' contexts, which --trace-context=false leaves unread")
	case c.MaxSpansRate < 0:
		return errors.New("--max-spans-rate is not negative")
	}
	return nil
}

// maxSlowest is as many traces as are held unbuilt for ten seconds.
const maxSlowest = 1000
