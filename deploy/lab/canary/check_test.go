package canary

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// checker looks for marks where they may not be.
type checker struct {
	*ledger
	searchers map[kind]*Searcher
}

func newChecker(l *ledger) *checker {
	c := &checker{l, map[kind]*Searcher{}}
	for _, k := range kindsOfMarks {
		c.searchers[k] = NewSearcher(l.of(k)...)
	}
	return c
}

// leaks are marks of a kind where none may be. Where traces are, links are left
// out: contexts may be nowhere else in them.
func (c *checker) leaks(x *output, k kind) []Finding {
	switch {
	case x.may(k):
		return nil
	case k == traceContext && x.place == traces:
		return c.searchers[k].Find(x.linkless)
	}
	return c.searchers[k].Find(x.bytes)
}

const told = 5 // leaks of a kind in an output

// all looks for every mark in every output.
func (c *checker) all(t *testing.T, all []output) {
	t.Helper()
	var n int
	slices.SortFunc(all, func(a, b output) int { return strings.Compare(a.name, b.name) })
	for _, x := range all {
		n += len(x.bytes)
		if !bytes.Contains(x.bytes, []byte(x.must)) {
			t.Errorf("%s: there is no %q in its %d bytes: %.300q", x.name, x.must, len(x.bytes), x.bytes)
		}
		for k := range c.searchers {
			found := c.leaks(&x, k)
			for _, f := range found[:min(len(found), told)] {
				t.Errorf("%s holds a %v, one of %d: %v", x.name, k, len(found), f)
			}
		}
		for _, k := range refused(x.name) {
			c.plant(t, x, k)
		}
	}
	t.Logf("%d outputs of %d bytes: none of %d secrets is in them, nor any of %d clients' ids, %d message ids and %d contexts where it may not be", len(all), n,
		len(c.of(secret)), len(c.of(identity)), len(c.of(messageID)), len(c.of(traceContext))/marksOfContext)
}

// refused are kinds of marks that must not be in an output, by its name and by
// nothing that the check itself rests on.
func refused(name string) []kind {
	for _, part := range []string{"log", "metrics", " of /", "doctor", "state"} {
		if strings.Contains(name, part) {
			return []kind{secret, identity, messageID, traceContext, nested}
		}
	}
	switch {
	case strings.Contains(name, "recording"), strings.Contains(name, "recorded"), strings.Contains(name, "made of"):
		return []kind{secret}
	case strings.Contains(name, "report"), strings.Contains(name, "compare"), strings.Contains(name, "queue"):
		return []kind{secret, nested}
	case strings.Contains(name, "plain"):
		return []kind{secret, messageID, traceContext, nested}
	}
	return []kind{secret, traceContext, nested}
}

// around is how much of an output surrounds a planted mark, on either side.
const around = 64 << 10

// plant shows that a mark would be found in an output.
func (c *checker) plant(t *testing.T, x output, k kind) {
	t.Helper()
	m := c.of(k)[len(x.bytes)%len(c.of(k))]
	into := func(b []byte) []byte {
		middle := len(b) / 2
		return slices.Concat(b[max(middle-around, 0):middle], m.Bytes, b[middle:min(middle+around, len(b))])
	}
	x.bytes, x.linkless = into(x.bytes), into(x.linkless)
	if !slices.ContainsFunc(c.leaks(&x, k), func(f Finding) bool { return f.Mark.Name == m.Name }) {
		t.Errorf("%s, planted into %s, was not found", m, x.name)
	}
}
