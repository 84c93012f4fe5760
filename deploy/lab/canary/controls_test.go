package canary

import (
	"slices"
	"testing"
)

// controls looks for what must be there, by the same means.
func (s *stage) controls(t *testing.T, all []output) {
	t.Helper()
	for _, c := range []struct {
		kind  kind
		in    string // an output's name
		least int    // how many marks of that kind
	}{
		{topic, "plain requests", 1}, {topic, "asked traces", 1}, {topic, "plain OTLP spans", 1}, {topic, "plain recording", 1},
		{identity, "plain requests", 10}, {identity, "asked traces", 10}, {identity, "plain OTLP spans", 10}, {identity, "plain recording", 10},
		{messageID, "asked traces", 100}, {messageID, "asked OTLP spans", 100}, {messageID, "asked recording", 100},
		{messageID, "replay of asked requests jsonl", 100}, {messageID, "replay of asked joined jsonl", 100},
		{traceContext, "asked recording", 100}, {traceContext, "asked traces", 100}, {traceContext, "asked OTLP spans", 100},
	} {
		searcher := NewSearcher(s.of(c.kind)...)
		i := slices.IndexFunc(all, func(x output) bool { return x.name == c.in })
		if i < 0 {
			t.Errorf("control: there is no output %q", c.in)
			continue
		}
		seen := map[string]bool{}
		for _, f := range searcher.Find(all[i].bytes) {
			seen[f.Mark.Name] = true
		}
		if len(seen) < c.least {
			t.Errorf("control: %s holds %d marks of the kind %v, want %d and more", c.in, len(seen), c.kind, c.least)
		}
	}
}
