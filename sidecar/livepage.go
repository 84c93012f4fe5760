package sidecar

import (
	"io"
	"sync"
	"time"

	"github.com/tailspan/tailspan/sidecar/config"
	"github.com/tailspan/tailspan/sidecar/report/page"
)

// livePage collects the page of what goes on: of this hour, by the events' own
// time, and of the one before.
type livePage struct {
	config *config.Config
	lost   func() map[string]uint64 // what could not be seen so far

	mu          sync.Mutex
	now, before *page.Collector // before: nil at first
	hour        int64           // that now is of, in hours of Unix time
	lostBefore  map[string]uint64
	counting    sync.WaitGroup
}

func newLivePage(c *config.Config) *livePage {
	return &livePage{config: c, now: newPage(c, true), lost: func() map[string]uint64 { return nil }}
}

// tick begins a new page with each hour (Unix ns). It is called by the goroutine
// that hands the rows on, which must not wait for what has been lost: who knows that
// may be waiting for this goroutine.
func (l *livePage) tick(now int64) {
	hour := now / int64(time.Hour)
	if hour == l.hour || hour == l.hour-1 { // a clock may be put back a little
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.now.Empty() { // at first the clock is not known, and there is nothing
		over := l.now
		l.before = over
		l.counting.Go(func() { l.settle(over) })
	}
	l.now, l.hour = newPage(l.config, true), hour
	l.now.Begin(time.Unix(0, now).UTC().Format("live, since 2006-01-02 15:04:05 UTC"))
}

// settle says of a page that is over what was lost in its time.
func (l *livePage) settle(over *page.Collector) {
	lost := l.lost()
	l.mu.Lock()
	defer l.mu.Unlock()
	over.Lost(since(l.lostBefore, lost))
	l.lostBefore = lost
}

// write writes one of both pages; false where there is none yet.
func (l *livePage) write(w io.Writer, before bool, version string) (bool, error) {
	lost := l.lost()
	l.mu.Lock()
	c := l.before
	if !before {
		c = l.now
		c.Lost(since(l.lostBefore, lost))
	}
	l.mu.Unlock()
	if c == nil {
		return false, nil
	}
	return true, c.WritePage(w, version)
}

// since is by how much counts have grown, where they have.
func since(before, now map[string]uint64) map[string]uint64 {
	grown := map[string]uint64{}
	for what, n := range now {
		if n > before[what] {
			grown[what] = n - before[what]
		}
	}
	return grown
}
