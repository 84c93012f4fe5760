package main

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/tailspan/tailspan/deploy/lab/story"
	"github.com/tailspan/tailspan/deploy/lab/tailspan"
	"github.com/tailspan/tailspan/spans"
)

// kept bounds the traces that the demo remembers: hours of slow ones.
const kept = 16384

// collection is what Tailspan printed, the oldest forgotten first.
type collection struct {
	mu    sync.Mutex
	byID  map[spans.TraceID]*spans.Trace
	order []spans.TraceID
}

func newCollection() *collection { return &collection{byID: map[spans.TraceID]*spans.Trace{}} }

// line takes a line of --print traces --format jsonl.
func (c *collection) line(b []byte) error {
	t, err := tailspan.ParseTrace(b)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byID[t.ID]; !ok {
		c.order = append(c.order, t.ID)
	}
	c.byID[t.ID] = t
	if len(c.order) > kept {
		delete(c.byID, c.order[0])
		c.order = c.order[1:]
	}
	return nil
}

// get finds a trace, nil if it is not known.
func (c *collection) get(id spans.TraceID) *spans.Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

// requests are the produce requests, the slowest first.
func (c *collection) requests() []*spans.Trace {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*spans.Trace
	for _, id := range c.order {
		if t := c.byID[id]; t.Root().Kind == spans.Server {
			all = append(all, t)
		}
	}
	slices.SortStableFunc(all, func(a, b *spans.Trace) int { return cmp.Compare(latency(b), latency(a)) })
	return all
}

// stories finds the slowest request that waited for a commit, and the slowest
// that waited for the lock of such a one; nil where there is none.
func (c *collection) stories() (direct *story.Direct, cascade *story.Cascade) {
	for _, t := range c.requests() {
		if latency(t) <= story.Slow {
			break
		}
		if direct == nil {
			direct = story.FindDirect(t)
		}
		if cascade == nil {
			cascade = story.FindCascade(t, c.get)
		}
	}
	return direct, cascade
}

func latency(t *spans.Trace) time.Duration { return time.Duration(t.Root().End - t.Root().Start) }
