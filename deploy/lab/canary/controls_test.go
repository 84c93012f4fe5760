package canary

import (
	"slices"
	"testing"
)

// controls looks for what must be there, by the same means.
func (c *checker) controls(t *testing.T, all []output) {
	t.Helper()
	for _, x := range []struct {
		kind  kind
		in    string // an output's name
		least int    // how many marks of that kind
	}{
		{topic, "plain requests", 1}, {topic, "asked traces", 1}, {topic, "plain OTLP spans", 1}, {topic, "plain recording", 1},
		{identity, "plain requests", 10}, {identity, "asked traces", 10}, {identity, "plain OTLP spans", 10}, {identity, "plain recording", 10},
		{messageID, "asked traces", 60}, {messageID, "asked OTLP spans", 60}, {messageID, "asked recording", 60},
		{messageID, "replay of asked requests jsonl", 60}, {messageID, "replay of asked joined jsonl", 60},
		{identity, "recorded with losses", 10}, {identity, "made of a capture with losses", 10},
		{traceContext, "asked recording", 60}, {traceContext, "asked traces", 60}, {traceContext, "asked OTLP spans", 60},
	} {
		i := slices.IndexFunc(all, func(o output) bool { return o.name == x.in })
		if i < 0 {
			t.Errorf("control: there is no output %q", x.in)
			continue
		}
		seen := map[string]bool{}
		for _, f := range c.searchers[x.kind].Find(all[i].bytes) {
			seen[f.Mark.Name] = true
		}
		if len(seen) < x.least {
			t.Errorf("control: %s holds %d marks of the kind %v, want %d and more", x.in, len(seen), x.kind, x.least)
		}
	}
}
